using Orleans;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>Orleans' membership table, in which this silo casts votes against others only when <see cref="DeathVotes"/> lets it and they do not answer now.</summary>
internal sealed class CautiousMembershipTable(
    IMembershipTable table, DeathVotes votes, Pulse pulse, LastWord lastWord, ILocalSiloDetails local, ClusteringDiagnostics diagnostics) : IMembershipTable
{
    public Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken) =>
        table.InitializeMembershipTableAsync(tryInitTableVersion, cancellationToken);

    public Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken) =>
        table.DeleteMembershipTableEntriesAsync(clusterId, cancellationToken);

    public Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken) =>
        table.CleanupDefunctSiloEntriesAsync(beforeDate, cancellationToken);

    public Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken) => table.ReadRowAsync(key, cancellationToken);

    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        var read = await table.ReadAllAsync(cancellationToken);
        votes.Meet(read.Members.Select(member => member.Item1).Where(member => member.Status != SiloStatus.Dead).Select(member => member.SiloAddress));
        return read;
    }

    public Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) =>
        table.InsertRowAsync(entry, tableVersion, cancellationToken);

    /// <summary>False, as where another silo was faster: Orleans goes on probing, and comes again.</summary>
    public async Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        (!IsVote(entry) || await MayVoteAsync(entry.SiloAddress)) && await table.UpdateRowAsync(entry, etag, tableVersion, cancellationToken);

    public Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) => table.UpdateIAmAliveAsync(entry, cancellationToken);

    Task IMembershipTable.InitializeMembershipTable(bool tryInitTableVersion) => InitializeMembershipTableAsync(tryInitTableVersion, CancellationToken.None);

    Task IMembershipTable.DeleteMembershipTableEntries(string clusterId) => DeleteMembershipTableEntriesAsync(clusterId, CancellationToken.None);

    Task IMembershipTable.CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => CleanupDefunctSiloEntriesAsync(beforeDate, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadRow(SiloAddress key) => ReadRowAsync(key, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadAll() => ReadAllAsync(CancellationToken.None);

    Task<bool> IMembershipTable.InsertRow(MembershipEntry entry, TableVersion tableVersion) => InsertRowAsync(entry, tableVersion, CancellationToken.None);

    Task<bool> IMembershipTable.UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        UpdateRowAsync(entry, etag, tableVersion, CancellationToken.None);

    Task IMembershipTable.UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry, CancellationToken.None);

    private async Task<bool> MayVoteAsync(SiloAddress silo)
    {
        if (votes.IsCertain(silo))
            return true;
        if (!votes.May(silo, pulse.IsSteady))
        {
            diagnostics.VoteHeldBack(silo);
            return false;
        }

        if (!await lastWord.AnswersAsync(silo))
            return true;
        diagnostics.AnswersAfterAll(silo);
        return false;
    }

    /// <summary>
    /// Whatever a silo writes about another one is against it. Who is at this silo's own address is an earlier run of it: it is dead for certain.
    /// </summary>
    private bool IsVote(MembershipEntry entry) => !entry.SiloAddress.Endpoint.Equals(local.SiloAddress.Endpoint);
}

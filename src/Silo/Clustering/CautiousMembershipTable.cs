using Orleans;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>Orleans' membership table, in which this silo casts votes against others only when <see cref="DeathVotes"/> lets it.</summary>
internal sealed class CautiousMembershipTable(
    IMembershipTable table, DeathVotes votes, Pulse pulse, ILocalSiloDetails local, ClusteringDiagnostics diagnostics) : IMembershipTable
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
    public Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken)
    {
        if (!IsVote(entry) || votes.May(entry.SiloAddress, pulse.IsSteady))
            return table.UpdateRowAsync(entry, etag, tableVersion, cancellationToken);
        diagnostics.VoteHeldBack(entry.SiloAddress);
        return Task.FromResult(false);
    }

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

    /// <summary>
    /// Whatever a silo writes about another one is against it. Who is at this silo's own address is an earlier run of it: it is dead for certain.
    /// </summary>
    private bool IsVote(MembershipEntry entry) => !entry.SiloAddress.Endpoint.Equals(local.SiloAddress.Endpoint);
}

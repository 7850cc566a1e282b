using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Grains.Storage;

namespace Granary.Cluster.Groups;

/// <summary>A real store of positions, with something around its writes.</summary>
internal abstract class GroupStoreAround(IGroupStore inner) : IGroupStore
{
    public Task<OpenedGroup?> OpenAsync(string groupId, CancellationToken cancellation) => inner.OpenAsync(groupId, cancellation);

    public Task<OpenedGroup?> CreateAsync(string groupId, int maxGroups, CancellationToken cancellation) => inner.CreateAsync(groupId, maxGroups, cancellation);

    public virtual Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null) => inner.WriteAsync(group, writes, reset);

    public Task<ImmutableArray<RecordedReset>> ListResetsAsync(string groupId, int limit, CancellationToken cancellation) => inner.ListResetsAsync(groupId, limit, cancellation);

    public Task<bool> NoteAsync(OwnedGroup group, string protocolType, GroupState state, GroupType type, CancellationToken cancellation) =>
        inner.NoteAsync(group, protocolType, state, type, cancellation);

    public Task<bool> DeleteAsync(OwnedGroup group, CancellationToken cancellation) => inner.DeleteAsync(group, cancellation);

    public Task<ImmutableArray<GroupListing>> ListAsync(CancellationToken cancellation) => inner.ListAsync(cancellation);

    public Task<IReadOnlyList<(string GroupId, int Number)>> ListExpiredAsync(
        DateTimeOffset before, IReadOnlyCollection<Guid> living, int after, int limit, CancellationToken cancellation) =>
        inner.ListExpiredAsync(before, living, after, limit, cancellation);
}

using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Grains.Storage;

namespace Granary.Cluster.Groups;

/// <summary>Holds writes of positions back on demand, one group's at a time.</summary>
internal sealed class WriteGate
{
    private readonly Lock _gate = new();
    private string? _held;
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>From now on that group's writes wait; ends when one does.</summary>
    public Task HoldAsync(string groupId)
    {
        lock (_gate)
        {
            _held = groupId;
            (_arrived, _open) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));
            return _arrived.Task;
        }
    }

    public void Open()
    {
        lock (_gate)
        {
            _held = null;
            _open.SetResult();
        }
    }

    public Task PassAsync(string groupId)
    {
        lock (_gate)
        {
            if (_held != groupId)
                return Task.CompletedTask;
            _arrived.TrySetResult();
            return _open.Task;
        }
    }
}

/// <summary>A real store whose writes take as long as the gate wants.</summary>
internal sealed class HeldStore(IGroupStore inner, WriteGate gate) : IGroupStore
{
    public Task<OpenedGroup?> OpenAsync(string groupId, CancellationToken cancellation) => inner.OpenAsync(groupId, cancellation);

    public Task<OpenedGroup?> CreateAsync(string groupId, int maxGroups, CancellationToken cancellation) => inner.CreateAsync(groupId, maxGroups, cancellation);

    public async Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null)
    {
        await gate.PassAsync(group.GroupId);
        return await inner.WriteAsync(group, writes, reset);
    }

    public Task<ImmutableArray<RecordedReset>> ListResetsAsync(string groupId, int limit, CancellationToken cancellation) => inner.ListResetsAsync(groupId, limit, cancellation);

    public Task<bool> NoteAsync(OwnedGroup group, string protocolType, GroupState state, GroupType type, CancellationToken cancellation) =>
        inner.NoteAsync(group, protocolType, state, type, cancellation);

    public Task<bool> DeleteAsync(OwnedGroup group, CancellationToken cancellation) => inner.DeleteAsync(group, cancellation);

    public Task<ImmutableArray<GroupListing>> ListAsync(CancellationToken cancellation) => inner.ListAsync(cancellation);

    public Task<IReadOnlyList<(string GroupId, int Number)>> ListExpiredAsync(
        DateTimeOffset before, IReadOnlyCollection<Guid> living, int after, int limit, CancellationToken cancellation) =>
        inner.ListExpiredAsync(before, living, after, limit, cancellation);
}

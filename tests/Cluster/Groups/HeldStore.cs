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
internal sealed class HeldStore(IGroupStore inner, WriteGate gate) : GroupStoreAround(inner)
{
    public override async Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null)
    {
        await gate.PassAsync(group.GroupId);
        return await base.WriteAsync(group, writes, reset);
    }
}

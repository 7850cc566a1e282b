using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>Saves a group's state, one save at a time; what changes while one lasts shares the next.</summary>
/// <param name="export">The group as it is now; null: it is not to be saved from here any more.</param>
/// <param name="failed">Whether it was written is not known.</param>
internal sealed class GroupSaves(IPersistentState<GroupGrainState> state, Func<GroupGrainState?> export, Action<Exception> failed)
{
    private Task<bool> _last = Task.FromResult(true);
    private Task<bool>? _queued;

    /// <summary>Ends when all saves that were asked for have.</summary>
    public Task Idle => _queued ?? _last;

    /// <summary>Returns when what stands now is durable; false: it will not be.</summary>
    public Task<bool> SaveAsync() => _queued ??= SaveAsync(_last);

    private async Task<bool> SaveAsync(Task<bool> former)
    {
        // From here on it is the queued one: what changes in this turn goes with it.
        await Task.Yield();
        await former;
        (_last, _queued) = (_queued!, null);
        if (export() is not { } kept)
            return false;
        try
        {
            state.State = kept;
            await state.WriteStateAsync();
            return true;
        }
        catch (Exception failure)
        {
            failed(failure);
            return false;
        }
    }

    /// <summary>Forgets what is kept. Without the group's rows in the store it counts for nothing, should this fail.</summary>
    public async Task ClearAsync()
    {
        try
        {
            await state.ClearStateAsync();
        }
        catch (Exception failure)
        {
            failed(failure);
        }
    }
}

using Granary.Abstractions.Partitions;

namespace Granary.Grains.Partitions;

/// <summary>
/// The readers of one partition: those that wait for more, and those whose answer is being read from the store. They can be sent away, all and for good: an
/// activation can neither move nor end in order while calls are under way in it, and whoever produces to it waits for that. Runs on its grain's thread only.
/// </summary>
internal sealed class PartitionReaders(SiloPartitions silo)
{
    private FetchWaiters<FetchWaiter>? _waiters;
    private readonly CancellationTokenSource _leaving = new();

    /// <summary>Cancelled when they are sent away.</summary>
    public CancellationToken Leaving => _leaving.Token;

    public int Waiting => _waiters?.Count ?? 0;

    /// <summary>Waits until the bound passes the reader's offset, its time is over, or it waits anew.</summary>
    public async Task WaitAsync(WaitRequest request)
    {
        var limit = request.MaxWait < silo.Options.MaxWait ? request.MaxWait : silo.Options.MaxWait;
        _waiters ??= new FetchWaiters<FetchWaiter>(silo.Options.MaxWaitersPerPartition);
        using var waiter = new FetchWaiter(request.ReaderId, request.Offset, limit, silo);
        if (_leaving.IsCancellationRequested || silo.Stopping.IsCancellationRequested || !_waiters.TryAdd(waiter))
        {
            PartitionMetrics.Crowded();
            await Task.Delay(limit < silo.Options.CrowdedPollDelay ? limit : silo.Options.CrowdedPollDelay, silo.Time);
            return;
        }

        PartitionMetrics.Waiting(1);
        await waiter.Task;
        _waiters.Remove(waiter);
        PartitionMetrics.Waiting(-1);
    }

    /// <summary>Wakes whoever waits for an offset below <paramref name="bound"/>.</summary>
    public void Wake(long bound) => _waiters?.Wake(bound);

    /// <summary>Ends all waits and reads of history, and takes no more. The readers come back where the partition is then.</summary>
    public void SendAway()
    {
        _leaving.Cancel();
        _waiters?.WakeAll();
    }
}

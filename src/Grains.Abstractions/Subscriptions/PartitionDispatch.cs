using Granary.Abstractions.Clients;
using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Subscriptions;

/// <summary>What the dispatches of one subscription share.</summary>
/// <param name="Call">Calls the grain of that key; by the token it is given up as long as it has not begun.</param>
/// <param name="Hold">True: the partition shall bring no more for now; false: it may. On any thread.</param>
internal sealed record DispatchParts(
    LogSubscriptionAttribute Subscription,
    LogSubscriptionOptions Options,
    Func<string, LogRecords, CancellationToken, Task> Call,
    Action<TopicPartition, bool> Hold,
    TimeProvider Time,
    ILogger Logger);

/// <summary>
/// Brings one partition's records to their grains while the partition is assigned: a lane for each grain, in order within it, lanes in parallel. A failed call is
/// made again after a pause. Safe for several threads.
/// </summary>
internal sealed class PartitionDispatch(TopicPartition partition, DispatchParts parts)
{
    private readonly Backoff _backoff = new(parts.Options.RetryBackoff, parts.Options.MaxRetryBackoff);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<ConsumedRecord>> _lanes = [];
    private readonly PartitionProgress _progress = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly HashSet<Task> _running = [];
    private bool _isPaused;
    private bool _isStopped;

    /// <summary>Everything below it is done; null: nothing was brought yet.</summary>
    public LogPosition? Position
    {
        get
        {
            lock (_gate)
                return _progress.Position;
        }
    }

    public void Take(ConsumedRecord record)
    {
        var key = SubscriberKeys.Of(record, parts.Subscription.By);
        lock (_gate)
        {
            if (_ending.IsCancellationRequested)
                return;
            _progress.Take(record);
            if (_lanes.TryGetValue(key, out var lane))
            {
                lane.Enqueue(record);
            }
            else
            {
                _lanes[key] = lane = new Queue<ConsumedRecord>([record]);
                Run(key, lane);
            }

            if (_isPaused || _progress.Unfinished < parts.Subscription.MaxUnfinished)
                return;
            _isPaused = true;
            parts.Hold(partition, true);
        }
    }

    /// <summary>Makes no further call, and waits for those under way: at most so long. A grain that is not done by then gets its records again, from the next owner.</summary>
    public async Task EndAsync(TimeSpan within)
    {
        Task[] running;
        lock (_gate)
        {
            _ending.Cancel();
            running = [.. _running];
        }

        await Task.WhenAll(running).WaitAsync(within, parts.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Run(string key, Queue<ConsumedRecord> lane)
    {
        var running = Task.Run(() => RunAsync(key, lane));
        _running.Add(running);
        running.ContinueWith(
            ended =>
            {
                lock (_gate)
                    _running.Remove(ended);
            },
            TaskScheduler.Default);
    }

    private async Task RunAsync(string key, Queue<ConsumedRecord> lane)
    {
        while (Next(key, lane) is { } batch)
        {
            if (!await DeliverAsync(key, batch))
                return;
            Finish(batch);
        }
    }

    /// <summary>What comes next for that grain; null where there is nothing, and the lane is closed.</summary>
    private ConsumedRecord[]? Next(string key, Queue<ConsumedRecord> lane)
    {
        lock (_gate)
        {
            if (_ending.IsCancellationRequested || _isStopped)
                return null;
            var batch = new ConsumedRecord[Math.Min(lane.Count, parts.Subscription.MaxBatchRecords)];
            for (var place = 0; place < batch.Length; place++)
                batch[place] = lane.Dequeue();
            if (batch.Length > 0)
                return batch;
            _lanes.Remove(key);
            return null;
        }
    }

    /// <returns>False: it was not done, and the lane goes no further.</returns>
    private async Task<bool> DeliverAsync(string key, ConsumedRecord[] batch)
    {
        var records = LogRecords.Of(partition, batch);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await parts.Call(key, records, _ending.Token);
                return true;
            }
            catch (OperationCanceledException) when (_ending.IsCancellationRequested)
            {
                return false;
            }
            catch (Exception failed)
            {
                if (parts.Subscription.OnFailure != SubscriberFailure.KeepTrying && attempt >= parts.Subscription.MaxAttempts)
                    return GiveUp(key, batch, failed);
                SubscriptionDiagnostics.Failed(parts.Logger, parts.Subscription.Group, key, partition.ToString(), batch[0].Offset, batch[^1].Offset, attempt, failed);
            }

            await Task.Delay(_backoff.After(attempt), parts.Time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ending.IsCancellationRequested)
                return false;
        }
    }

    private bool GiveUp(string key, ConsumedRecord[] batch, Exception failed)
    {
        var isSkipped = parts.Subscription.OnFailure == SubscriberFailure.Skip;
        if (isSkipped)
        {
            SubscriptionDiagnostics.Skipped(parts.Logger, parts.Subscription.Group, key, partition.ToString(), batch[0].Offset, batch[^1].Offset, failed);
            return true;
        }

        SubscriptionDiagnostics.Stopped(parts.Logger, parts.Subscription.Group, key, partition.ToString(), batch[0].Offset, failed);
        lock (_gate)
        {
            (_isStopped, _isPaused) = (true, true);
            if (!_ending.IsCancellationRequested)
                parts.Hold(partition, true);
        }

        return false;
    }

    private void Finish(ConsumedRecord[] batch)
    {
        lock (_gate)
        {
            foreach (var record in batch)
                _progress.Finish(record.Offset);
            if (!_isPaused || _isStopped || _ending.IsCancellationRequested || _progress.Unfinished > parts.Subscription.MaxUnfinished / 2)
                return;
            _isPaused = false;
            parts.Hold(partition, false);
        }
    }
}

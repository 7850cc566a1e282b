using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
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
/// Brings one partition's records to their grains while the partition is assigned: a lane for each grain, in order within it, lanes in parallel. After a failed
/// call half of its records come again, after a pause (<see cref="BatchSize"/>). Safe for several threads.
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
        var size = new BatchSize(parts.Subscription.MaxBatchRecords);
        var failures = 0;
        while (Next(key, lane, size.Records) is { } batch)
        {
            try
            {
                await parts.Call(key, LogRecords.Of(partition, batch), _ending.Token);
                size.Succeeded(batch.Length);
            }
            catch (OperationCanceledException) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                failures++;
                if (!IsLast(failures))
                {
                    SubscriptionDiagnostics.Failed(parts.Logger, parts.Subscription.Group, key, partition.ToString(), batch[0].Offset, batch[^1].Offset, failures, failed);
                    size.Failed(batch.Length);
                    await Task.Delay(_backoff.After(failures), parts.Time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    continue;
                }

                if (!GiveUp(key, batch, failed))
                    return;
            }

            failures = 0;
            Finish(lane, batch);
        }
    }

    private bool IsLast(int failures) => parts.Subscription.OnFailure != SubscriberFailure.KeepTrying && failures >= parts.Subscription.MaxAttempts;

    /// <summary>What comes next for that grain, which stays in the lane until it is done; null where there is nothing, and the lane is closed.</summary>
    private ConsumedRecord[]? Next(string key, Queue<ConsumedRecord> lane, int maxRecords)
    {
        lock (_gate)
        {
            if (_ending.IsCancellationRequested || _isStopped)
                return null;
            if (lane.Count > 0)
                return [.. lane.Take(CountOf(lane, maxRecords))];
            _lanes.Remove(key);
            return null;
        }
    }

    /// <summary>One record at least, however large: it may be small enough for a call all the same.</summary>
    private int CountOf(Queue<ConsumedRecord> lane, int maxRecords)
    {
        var (count, bytes) = (0, 0L);
        foreach (var record in lane)
        {
            bytes += RecordBatchWriter.MaxSizeOf(record.Key, record.Value, record.Headers);
            if (count == maxRecords || (count > 0 && bytes > parts.Subscription.MaxBatchBytes))
                break;
            count++;
        }

        return count;
    }

    /// <returns>True: the records are left out; false: the lane goes no further.</returns>
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

    private void Finish(Queue<ConsumedRecord> lane, ConsumedRecord[] batch)
    {
        lock (_gate)
        {
            foreach (var record in batch)
            {
                lane.Dequeue();
                _progress.Finish(record.Offset);
            }

            if (!_isPaused || _isStopped || _ending.IsCancellationRequested || _progress.Unfinished > parts.Subscription.MaxUnfinished / 2)
                return;
            _isPaused = false;
            parts.Hold(partition, false);
        }
    }
}

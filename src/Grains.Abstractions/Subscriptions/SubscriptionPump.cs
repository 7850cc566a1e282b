using System.Collections.Concurrent;
using Granary.Abstractions.Clients;
using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Subscriptions;

/// <summary>
/// One member of one subscription's group: reads the partitions it is given, brings their records to the grains, and commits below the lowest that is not done.
/// Goes on by itself after any failure, until it is stopped.
/// </summary>
internal sealed class SubscriptionPump(
    SubscriberClass subscriber,
    LogSubscriptionOptions options,
    Func<string, LogRecords, Task> call,
    LogConsumers consumers,
    TimeProvider time,
    ILogger logger)
{
    private const int MaxClientId = 255;

    private readonly LogSubscriptionAttribute _subscription = subscriber.Subscription;
    private readonly string _name = subscriber.Class.FullName ?? subscriber.Class.Name;
    private readonly SemaphoreSlim _calls = new(options.MaxConcurrentCalls);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(stopping);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                SubscriptionDiagnostics.Interrupted(logger, _subscription.Group, _name, _subscription.Topic, failed.Message, failed);
                await Task.Delay(options.RestartDelay, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ReadAsync(CancellationToken stopping)
    {
        var dispatches = new ConcurrentDictionary<TopicPartition, PartitionDispatch>();
        await using var consumer = consumers.Open();
        var parts = new DispatchParts(_subscription, options, CallAsync, Hold, time, logger);
        consumer.Subscribe([_subscription.Topic], _subscription.Group, new SubscriptionOptions
        {
            Start = _subscription.Start,
            AutoCommitInterval = null,
            ClientId = _name.Length <= MaxClientId ? _name : _name[^MaxClientId..],
            Assigned = partitions =>
            {
                foreach (var partition in partitions)
                    dispatches[partition] = new PartitionDispatch(partition, parts);
                return Task.CompletedTask;
            },
            Revoked = async partitions =>
            {
                await Task.WhenAll(Of(partitions).Select(ended => ended.Value.EndAsync(options.DrainTimeout)));
                await CommitAsync(consumer, Of(partitions));
                Forget(partitions);
            },
            Lost = async partitions =>
            {
                await Task.WhenAll(Of(partitions).Select(ended => ended.Value.EndAsync(TimeSpan.Zero)));
                Forget(partitions);
            },
        });
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var committing = CommitByIntervalAsync(consumer, dispatches, ending.Token);
        try
        {
            await foreach (var record in consumer.ReadAsync(stopping))
                dispatches[record.Partition].Take(record);
        }
        finally
        {
            await ending.CancelAsync();
            await committing;
        }

        void Hold(TopicPartition partition, bool isHeld)
        {
            if (isHeld)
                consumer.TryPause(partition);
            else
                consumer.Resume(partition);
        }

        KeyValuePair<TopicPartition, PartitionDispatch>[] Of(IReadOnlyCollection<TopicPartition> partitions) =>
            [.. dispatches.Where(dispatch => partitions.Contains(dispatch.Key))];

        void Forget(IReadOnlyCollection<TopicPartition> partitions)
        {
            foreach (var partition in partitions)
                dispatches.TryRemove(partition, out _);
        }
    }

    private async Task CallAsync(string key, LogRecords records, CancellationToken ending)
    {
        await _calls.WaitAsync(ending);
        try
        {
            await call(key, records);
        }
        finally
        {
            _calls.Release();
        }
    }

    private async Task CommitByIntervalAsync(
        LogConsumer consumer, ConcurrentDictionary<TopicPartition, PartitionDispatch> dispatches, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(options.CommitInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ending))
                await CommitAsync(consumer, [.. dispatches]);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The last commit is made where the partitions are given back.
        }
    }

    private async Task CommitAsync(LogConsumer consumer, IEnumerable<KeyValuePair<TopicPartition, PartitionDispatch>> dispatches)
    {
        try
        {
            TopicPartitionOffset[] done =
            [
                .. from dispatch in dispatches
                   let position = dispatch.Value.Position
                   where position is not null
                   select new TopicPartitionOffset(dispatch.Key, position.Value),
            ];
            await consumer.CommitAsync(done, CancellationToken.None);
        }
        catch (Exception failed) when (failed is LogException or InvalidOperationException)
        {
            // Given back or lost meanwhile, or not to be reached: the next commit says it again, whoever makes it.
            SubscriptionDiagnostics.NotCommitted(logger, _subscription.Group, _subscription.Topic, failed.Message, failed);
        }
    }
}

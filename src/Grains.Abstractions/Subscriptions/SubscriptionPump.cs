using System.Collections.Concurrent;
using Granary.Abstractions.Clients;
using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Subscriptions;

/// <summary>
/// One member of one subscription's group: reads the partitions it is given, brings their records to the grains, and commits below the lowest that is not done.
/// Goes on by itself after any failure, until it is stopped.
/// </summary>
internal sealed class SubscriptionPump(
    LogSubscriptionAttribute subscription,
    string subscriber,
    Func<string, LogRecords, Task> call,
    LogConsumers consumers,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>What is read again after a crash, in time; a commit of several partitions is one call.</summary>
    private static readonly TimeSpan s_commitInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long calls under way may hold up a partition that another member shall have.</summary>
    private static readonly TimeSpan s_drainTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_restartDelay = TimeSpan.FromSeconds(1);

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
                SubscriptionDiagnostics.Interrupted(logger, subscription.Group, subscriber, subscription.Topic, failed.Message, failed);
                await Task.Delay(s_restartDelay, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ReadAsync(CancellationToken stopping)
    {
        var dispatches = new ConcurrentDictionary<TopicPartition, PartitionDispatch>();
        await using var consumer = consumers.Open();
        var parts = new DispatchParts(subscription, call, partition => consumer.TryPause(partition), consumer.Resume, time, logger);
        consumer.Subscribe([subscription.Topic], subscription.Group, new SubscriptionOptions
        {
            Start = subscription.Start,
            AutoCommitInterval = null,
            ClientId = subscriber.Length <= 255 ? subscriber : subscriber[^255..],
            Assigned = partitions =>
            {
                foreach (var partition in partitions)
                    dispatches[partition] = new PartitionDispatch(partition, parts);
                return Task.CompletedTask;
            },
            Revoked = async partitions =>
            {
                await Task.WhenAll(Of(partitions).Select(ended => ended.Value.EndAsync(s_drainTime)));
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

        KeyValuePair<TopicPartition, PartitionDispatch>[] Of(IReadOnlyCollection<TopicPartition> partitions) =>
            [.. dispatches.Where(dispatch => partitions.Contains(dispatch.Key))];

        void Forget(IReadOnlyCollection<TopicPartition> partitions)
        {
            foreach (var partition in partitions)
                dispatches.TryRemove(partition, out _);
        }
    }

    private async Task CommitByIntervalAsync(
        LogConsumer consumer, ConcurrentDictionary<TopicPartition, PartitionDispatch> dispatches, CancellationToken ending)
    {
        using var timer = new PeriodicTimer(s_commitInterval, time);
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
                .. dispatches.Select(dispatch => (Partition: dispatch.Key, dispatch.Value.Position))
                    .Where(place => place.Position >= 0)
                    .Select(place => new TopicPartitionOffset(place.Partition, LogPosition.At(place.Position))),
            ];
            await consumer.CommitAsync(done, CancellationToken.None);
        }
        catch (Exception failed) when (failed is LogException or InvalidOperationException)
        {
            // Given back or lost meanwhile, or not to be reached: the next commit says it again, whoever makes it.
            SubscriptionDiagnostics.NotCommitted(logger, subscription.Group, subscription.Topic, failed.Message, failed);
        }
    }
}

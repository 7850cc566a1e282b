using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace Granary.Grains.Partitions;

/// <summary>
/// Every <see cref="PartitionOptions.RetentionCheckInterval"/> asks the store which partitions may have something to drop, and only those partitions'
/// grains: idle ones sleep on. Runs in every silo, but only the member with the lowest number works; while silos disagree about who that is two
/// may, which does no harm: log starts only ever move up, fenced.
/// </summary>
internal sealed class RetentionSweep(
    IPartitionStore store,
    TopicDirectory topics,
    IGrainFactory grains,
    CurrentMap map,
    ILocalSiloDetails local,
    SiloPartitions silo) : BackgroundService
{
    private const int TopicsPerQuery = 1_000;

    /// <summary>One check. Returns how many partitions were attended to.</summary>
    public async Task<int> CheckAsync(CancellationToken cancellation)
    {
        var left = silo.Options.MaxPartitionsPerRetentionCheck;
        foreach (var some in topics.ByName.Values.Select(BoundOf).Where(IsBound).Chunk(TopicsPerQuery))
        {
            var expired = await store.ListExpiredAsync(some, left, cancellation);
            await Parallel.ForEachAsync(
                expired,
                new ParallelOptions { MaxDegreeOfParallelism = silo.Options.RetentionConcurrency, CancellationToken = cancellation },
                (partition, _) => new ValueTask(CleanAsync(partition)));
            left -= expired.Count;
            if (left <= 0)
                break;
        }

        return silo.Options.MaxPartitionsPerRetentionCheck - left;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(silo.Options.RetentionCheckInterval, silo.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    if (IsMine())
                        await CheckAsync(stoppingToken);
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    silo.Diagnostics.RetentionCheckFailed(failure);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private static bool IsBound(RetentionBound bound) => bound.OldestTimestamp is not null || bound.MaxBytes is not null;

    private bool IsMine() => map().Members is not [var first, ..] || first.Silo.Equals(local.SiloAddress);

    private RetentionBound BoundOf(TopicDescription topic)
    {
        var settings = topics.SettingsOf(topic);
        return new RetentionBound
        {
            TopicId = topic.TopicId,
            OldestTimestamp = settings.Retention is { } kept ? silo.NowMs - (long)kept.TotalMilliseconds : null,
            MaxBytes = settings.RetentionBytes,
        };
    }

    private async Task CleanAsync(PartitionId partition)
    {
        try
        {
            await grains.GetGrain<IPartitionGrain>(partition.ToKey()).ApplyRetentionAsync();
        }
        catch (Exception failure)
        {
            silo.Diagnostics.RetentionFailed(failure, partition);
        }
    }
}

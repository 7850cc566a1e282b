using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Placement;

/// <summary>
/// When a silo is gone, opens those of its partitions that now belong here, at once: nobody waits for the first client's call. Clients that ask
/// earlier open them just as well.
/// </summary>
public sealed class PartitionReviver(ClusterMapSource maps, TopicDirectory topics, IGrainFactory grains, PlacementParts parts) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var former = maps.Map;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var map = await maps.NextAsync(former.Fingerprint, stoppingToken);
                await ReviveAsync(former, map, stoppingToken);
                former = map;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ReviveAsync(ClusterMap former, ClusterMap map, CancellationToken cancellation)
    {
        var gone = former.Members.Select(member => member.Silo).Except(map.Members.Select(member => member.Silo)).ToHashSet();
        if (gone.Count == 0)
            return;
        var orphans = new List<PartitionId>();
        foreach (var topic in topics.ByName.Values)
        {
            for (var index = 0; index < topic.PartitionCount; index++)
            {
                var mine = map.LeaderOf(topic.TopicId, topic.PartitionCount, index)?.Silo.Equals(parts.LocalSilo) is true;
                if (mine && former.LeaderOf(topic.TopicId, topic.PartitionCount, index) is { } lost && gone.Contains(lost.Silo))
                    orphans.Add(new PartitionId(topic.TopicId, index));
            }
        }

        parts.Diagnostics.Reviving(orphans.Count, string.Join(", ", gone));
        await Parallel.ForEachAsync(
            orphans,
            new ParallelOptions { MaxDegreeOfParallelism = parts.Options.ConcurrentRevivals, CancellationToken = cancellation },
            async (partition, _) => await OpenAsync(partition));
    }

    private async Task OpenAsync(PartitionId partition)
    {
        try
        {
            await grains.GetGrain<IPartitionGrain>(partition.ToKey()).FindOffsetAsync(new OffsetQuery(OffsetQuery.Latest)).WaitAsync(parts.Options.MoveTimeout, parts.Time);
        }
        catch (Exception failure)
        {
            // The next client's call opens it.
            parts.Diagnostics.NotRevived(failure, partition);
        }
    }
}

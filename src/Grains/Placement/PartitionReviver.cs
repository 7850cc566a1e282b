using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Placement;

/// <summary>
/// When a silo is gone, opens those of its partitions that now belong here, at once: nobody waits for the first client's call. Clients that ask
/// earlier open them just as well.
/// </summary>
public sealed class PartitionReviver(ClusterMapSource maps, TopicDirectory topics, LeaderTable leaders, IGrainFactory grains, PlacementParts parts) : BackgroundService
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
        var (before, now) = (new PartitionLeaders(former, [.. topics.ByName.Values]), leaders.Under(map));
        foreach (var topic in topics.ByName.Values)
        {
            for (var index = 0; index < topic.PartitionCount; index++)
            {
                var partition = new PartitionId(topic.TopicId, index);
                if (now.Of(partition)?.Silo.Equals(parts.LocalSilo) is true && before.Of(partition) is { } lost && gone.Contains(lost.Silo))
                    orphans.Add(partition);
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

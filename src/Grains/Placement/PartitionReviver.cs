using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Placement;

/// <summary>
/// When a silo is gone, opens those of its partitions that now belong here, at once: nobody waits for the first client's call. Clients that ask
/// earlier open them just as well. A second silo that goes meanwhile is not kept waiting: openings that lie on it take their time to fail.
/// </summary>
public sealed class PartitionReviver(
    ClusterMapSource maps, TopicDirectory topics, LeaderTable leaders, KnownLeaders known, IGrainFactory grains, PlacementParts parts) : BackgroundService
{
    /// <summary>Silos that go within <see cref="PlacementOptions.MoveTimeout"/> of one another; the next one's partitions wait for a former one's.</summary>
    private const int MaxAtATime = 4;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var running = new List<Task>();
        var former = maps.Map;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var (before, map) = (former, await maps.NextAsync(former.Fingerprint, stoppingToken));
                former = map;
                running.RemoveAll(one => one.IsCompleted);
                if (running.Count >= MaxAtATime)
                    running.Remove(await Task.WhenAny(running));
                running.Add(ReviveAsync(before, map, stoppingToken));
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
        }

        await Task.WhenAll(running);
    }

    private async Task ReviveAsync(ClusterMap former, ClusterMap map, CancellationToken cancellation)
    {
        var gone = former.Members.Select(member => member.Silo).Except(map.Members.Select(member => member.Silo)).ToHashSet();
        if (gone.Count == 0 || map.Find(parts.LocalSilo) is { IsDraining: true })
            return;
        try
        {
            var orphans = Orphans.Of(parts.LocalSilo, [.. topics.ByName.Values], former, leaders.Under(map), gone, known);
            parts.Diagnostics.Reviving(orphans.Count, string.Join(", ", gone));
            await Parallel.ForEachAsync(
                orphans,
                new ParallelOptions { MaxDegreeOfParallelism = parts.Options.ConcurrentRevivals, CancellationToken = cancellation },
                async (partition, _) => await OpenAsync(partition));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The silo stops.
        }
        catch (Exception defect)
        {
            parts.Diagnostics.Defect(defect, "Opening a lost silo's partitions");
        }
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

using Granary.Abstractions.Groups;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Groups;

/// <summary>Has groups forget positions that are no longer kept. Each silo looks after the groups that it coordinates.</summary>
internal sealed class GroupSweep(ClusterMapSource maps, IGrainFactory grains, GroupParts parts) : BackgroundService
{
    private const int GroupsAtATime = 10_000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(parts.Options.ExpiryInterval, parts.Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                return;
            try
            {
                await RunAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                parts.Diagnostics.SweepFailed(failure);
            }
        }
    }

    private async Task RunAsync(CancellationToken cancellation)
    {
        var living = parts.Topics.ByName.Values.Select(topic => topic.TopicId).ToArray();
        var before = parts.Time.GetUtcNow() - parts.Options.OffsetsRetention;
        for (var after = 0; ;)
        {
            var expired = await parts.Store.ListExpiredAsync(before, living, after, GroupsAtATime, cancellation);
            await Parallel.ForEachAsync(
                expired.Where(group => maps.Map.CoordinatorOf(group.GroupId) is not { } coordinator || coordinator.Silo.Equals(parts.LocalSilo)),
                new ParallelOptions { MaxDegreeOfParallelism = parts.Options.ConcurrentCalls, CancellationToken = cancellation },
                async (group, _) => await ExpireAsync(group.GroupId, cancellation));
            if (expired.Count < GroupsAtATime)
                return;
            after = expired[^1].Number;
        }
    }

    /// <summary>One that cannot be asked now does not keep the others waiting.</summary>
    private async Task ExpireAsync(string groupId, CancellationToken cancellation)
    {
        try
        {
            await grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId)).ExpireAsync();
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            parts.Diagnostics.SweepFailed(failure);
        }
    }
}

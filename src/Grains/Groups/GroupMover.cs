using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;
using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>
/// Follows the cluster's map: hands over this silo's groups that another one coordinates now, and opens those that fall to this one, of a lost silo at once. So
/// members who died with their coordinator are missed, lists say how a group stands, and its lag is measured, whether anybody asks for it or not.
/// </summary>
internal sealed class GroupMover(ClusterMapSource maps, IGrainFactory grains, IClusterManifestProvider manifests, PlacementParts placement, GroupParts parts)
    : BackgroundService, ISiloMover
{
    /// <inheritdoc/>
    public async Task EmptyAsync(CancellationToken cancellation)
    {
        while (parts.Hosted.Ids.Any(groupId => TargetOf(groupId) is not null) && !cancellation.IsCancellationRequested)
        {
            await MoveAsync(cancellation);
            await Task.Delay(placement.Options.MovePollInterval, parts.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var former = maps.Map;
        var allAreOpen = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var (before, map) = (former, await WaitAsync(former, stoppingToken));
                former = map;
                await ReviveAsync(before, map, stoppingToken);
                await Task.Delay(placement.Options.SettleDelay, parts.Time, stoppingToken);
                await MoveAsync(stoppingToken);
                if (!allAreOpen || map.Fingerprint != before.Fingerprint)
                    allAreOpen = await OpenOwnAsync(map, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception defect)
            {
                placement.Diagnostics.Defect(defect, "Handing groups over");
            }
        }
    }

    /// <summary>Until the map is another, or it is time to look for groups that were opened on the wrong silo.</summary>
    private async Task<ClusterMap> WaitAsync(ClusterMap former, CancellationToken cancellation)
    {
        try
        {
            return await maps.NextAsync(former.Fingerprint, cancellation).WaitAsync(placement.Options.StrayInterval, parts.Time, cancellation);
        }
        catch (TimeoutException)
        {
            return former;
        }
    }

    private Task MoveAsync(CancellationToken cancellation)
    {
        var leaving = parts.Hosted.Ids.Select(groupId => (groupId, target: TargetOf(groupId))).Where(one => one.target is not null).ToArray();
        return Parallel.ForEachAsync(
            leaving,
            new ParallelOptions { MaxDegreeOfParallelism = placement.Options.MovesAtATime(leaving.Length), CancellationToken = cancellation },
            async (one, _) => await MoveOneAsync(one.groupId, one.target!, cancellation));
    }

    /// <summary>Null where it stays: here, or because all silos are being stopped.</summary>
    private SiloAddress? TargetOf(string groupId) =>
        maps.Map.CoordinatorOf(groupId) is { IsDraining: false, Silo: var coordinator } && !coordinator.Equals(parts.LocalSilo) ? coordinator : null;

    private async Task MoveOneAsync(string groupId, SiloAddress target, CancellationToken cancellation)
    {
        // Orleans passes a hint over that names a silo whose grain types it has not heard of yet.
        if (!manifests.Current.Silos.ContainsKey(target))
            return;
        try
        {
            await HandOverAsync(groupId, target).WaitAsync(placement.Options.MoveTimeout, parts.Time, cancellation);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            parts.Diagnostics.NotMoved(failure, groupId, target);
        }
    }

    /// <summary>Until it is open where it goes: a call that is sent while a grain moves is answered there.</summary>
    private async Task HandOverAsync(string groupId, SiloAddress target)
    {
        var grain = grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId));
        await grain.MoveAsync(parts.LocalSilo, target);
        await grain.DescribeAsync(withLags: false);
    }

    private async Task ReviveAsync(ClusterMap former, ClusterMap map, CancellationToken cancellation)
    {
        var gone = former.Members.Select(member => member.Silo).Except(map.Members.Select(member => member.Silo)).ToHashSet();
        if (gone.Count == 0)
            return;
        await OpenAsync(
            map,
            own => own.Where(listing => listing.State != GroupState.Empty && former.CoordinatorOf(listing.GroupId) is { } lost && gone.Contains(lost.Silo)),
            cancellation);
    }

    /// <summary>
    /// Opens what is not open here: all groups that had members, and of the others, for which there is nothing to do but to measure them, as many as
    /// are measured. What another silo is about to hand over it answers for itself.
    /// </summary>
    private Task<bool> OpenOwnAsync(ClusterMap map, CancellationToken cancellation)
    {
        var here = parts.Hosted.List().Select(listing => listing.GroupId).ToHashSet(StringComparer.Ordinal);
        return OpenAsync(
            map,
            own =>
            {
                var closed = own.Where(listing => !here.Contains(listing.GroupId)).ToLookup(listing => listing.State == GroupState.Empty);
                var room = parts.Options.MaxMeasured - here.Count - closed[false].Count();
                return closed[false].Concat(closed[true].Take(Math.Max(0, room)));
            },
            cancellation);
    }

    /// <param name="choose">Which of those that fall to this silo.</param>
    /// <returns>False: they could not be listed, or one could not be opened.</returns>
    private async Task<bool> OpenAsync(ClusterMap map, Func<IEnumerable<GroupListing>, IEnumerable<GroupListing>> choose, CancellationToken cancellation)
    {
        try
        {
            var kept = await parts.Store.ListAsync(cancellation);
            var failed = 0;
            await Parallel.ForEachAsync(
                choose(kept.Where(listing => map.CoordinatorOf(listing.GroupId)?.Silo.Equals(parts.LocalSilo) is true)),
                new ParallelOptions { MaxDegreeOfParallelism = parts.Options.ConcurrentCalls, CancellationToken = cancellation },
                async (listing, _) =>
                {
                    if (!await TryOpenAsync(listing.GroupId))
                        Interlocked.Increment(ref failed);
                });
            return failed == 0;
        }
        catch (StoreUnavailableException failure)
        {
            parts.Diagnostics.NotListed(failure);
            return false;
        }
    }

    private async Task<bool> TryOpenAsync(string groupId)
    {
        try
        {
            await grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId)).DescribeAsync(withLags: false).WaitAsync(placement.Options.MoveTimeout, parts.Time);
            return true;
        }
        catch (Exception failure)
        {
            // The next client's call opens it, or the next round.
            parts.Diagnostics.NotRevived(failure, groupId);
            return false;
        }
    }
}

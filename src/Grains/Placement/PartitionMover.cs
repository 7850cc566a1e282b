using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

/// <summary>
/// Hands over this silo's partitions that belong elsewhere by the map: to a silo that joined, or all of them before this one stops. Each silo
/// moves its own partitions only, so that no partition has two movers.
/// </summary>
public sealed class PartitionMover(
    ClusterMapSource maps,
    LeaderTable leaders,
    KnownLeaders known,
    IGrainFactory grains,
    IClusterManifestProvider manifests,
    PlacementParts parts) : BackgroundService, ISiloMover
{
    /// <summary>Moves everything that belongs elsewhere now; returns how many partitions were asked to go.</summary>
    public async Task<int> MoveAsync(CancellationToken cancellation)
    {
        var moved = 0;
        var leaving = parts.Hosted.Ids.Select(partition => (partition, target: TargetOf(partition))).Where(one => one.target is not null).ToArray();
        await Parallel.ForEachAsync(
            leaving,
            new ParallelOptions { MaxDegreeOfParallelism = parts.Options.MovesAtATime(leaving.Length), CancellationToken = cancellation },
            async (one, stopped) =>
            {
                if (await MoveOneAsync(one.partition, one.target!, stopped))
                    Interlocked.Increment(ref moved);
            });
        return moved;
    }

    /// <inheritdoc/>
    public async Task EmptyAsync(CancellationToken cancellation)
    {
        while (parts.Hosted.Ids.Any(partition => TargetOf(partition) is not null) && !cancellation.IsCancellationRequested)
        {
            await MoveAsync(cancellation);
            await Task.Delay(parts.Options.MovePollInterval, parts.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var known = ClusterMap.Empty.Fingerprint;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WaitAsync(known, stoppingToken);
                known = maps.Map.Fingerprint;
                await MoveAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception defect)
            {
                parts.Diagnostics.Defect(defect, "Handing partitions over");
            }
        }
    }

    /// <summary>
    /// Until the map is another, or a while has passed: a partition may have been opened on the wrong silo, by one that did not know the
    /// map yet.
    /// </summary>
    private async Task WaitAsync(ulong known, CancellationToken cancellation)
    {
        try
        {
            await maps.NextAsync(known, cancellation).WaitAsync(parts.Options.StrayInterval, parts.Time, cancellation);

            // Silos hear of a change one after another; what moves before they have is moved back.
            await Task.Delay(parts.Options.SettleDelay, parts.Time, cancellation);
        }
        catch (TimeoutException)
        {
            // Time to look for strays.
        }
    }

    /// <summary>Null where it stays: here, or because all silos are being stopped, and whoever took it would only hand it back.</summary>
    private SiloAddress? TargetOf(PartitionId partition) =>
        leaders.Under(maps.Map).Of(partition) is { IsDraining: false, Silo: var leader } && !leader.Equals(parts.LocalSilo) ? leader : null;

    private async Task<bool> MoveOneAsync(PartitionId partition, SiloAddress target, CancellationToken cancellation)
    {
        // Orleans passes a hint over that names a silo whose grain types it has not heard of yet.
        if (!manifests.Current.Silos.ContainsKey(target))
            return false;
        parts.Hosted.BeginLeaving(partition);
        try
        {
            await HandOverAsync(partition, target).WaitAsync(parts.Options.MoveTimeout, parts.Time, cancellation);
            return true;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            parts.Diagnostics.NotMoved(failure, partition, target);
            return false;
        }
        finally
        {
            parts.Hosted.EndLeaving(partition);
        }
    }

    /// <summary>Until it is open where it goes: a call that is sent while a grain moves is answered there, and tells the leader epoch there.</summary>
    private async Task HandOverAsync(PartitionId partition, SiloAddress target)
    {
        var grain = grains.GetGrain<IPartitionGrain>(partition.ToKey());
        await grain.MoveAsync(parts.LocalSilo, target);
        var opened = await grain.FindOffsetAsync(new OffsetQuery(OffsetQuery.Latest));
        known.Learn(partition, target, opened.LeaderEpoch);
    }
}

using System.Collections.Concurrent;
using Granary.Abstractions.Cluster;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Grains.Placement;

/// <summary>
/// Sends grains to other silos, and knows which are on their way from here. A grain must not come back to a silo that has not finished letting it go:
/// the silo would take the one that leaves for the one that comes, each silo would wait for the other, and behind them every later move between the
/// two, until Orleans' response timeout of 30 s. Safe for many threads.
/// </summary>
public sealed class Departures(IGrainFactory grains)
{
    private readonly ConcurrentDictionary<GrainId, Task> _leaving = new();

    /// <summary>Has that grain, which is this call's, move: it has closed when this returns, and opens there a little later.</summary>
    /// <param name="close">What is done last before it goes.</param>
    public async Task SendAsync(IGrainBase grain, SiloAddress target, Action close)
    {
        var context = grain.GrainContext;
        await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(target)).WhenGoneAsync(context.GrainId);
        close();
        context.Migrate(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = target });
        _leaving[context.GrainId] = context.Deactivated;
        _ = context.Deactivated.ContinueWith(
            (gone, grainId) => _leaving.TryRemove(KeyValuePair.Create((GrainId)grainId!, gone)), context.GrainId, TaskScheduler.Default);
    }

    /// <summary>Completes when that grain is not on its way from here, or no more.</summary>
    public Task WhenGoneAsync(GrainId grain) => _leaving.TryGetValue(grain, out var leaving) ? leaving : Task.CompletedTask;
}

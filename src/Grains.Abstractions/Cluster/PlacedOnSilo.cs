using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Abstractions.Cluster;

/// <summary>On the silo that its key names (<see cref="ISiloGrain.KeyOf"/>).</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PlacedOnSiloAttribute() : PlacementAttribute(PlacedOnSilo.Instance);

[GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class PlacedOnSilo : PlacementStrategy
{
    public static PlacedOnSilo Instance { get; } = new();
}

internal sealed class PlacedOnSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var named = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return context.GetCompatibleSilos(target).Contains(named)
            ? Task.FromResult(named)
            : Task.FromException<SiloAddress>(new SiloUnavailableException($"The silo {named} is not there."));
    }
}

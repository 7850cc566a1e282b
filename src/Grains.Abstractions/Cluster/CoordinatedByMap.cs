using Granary.Abstractions.Groups;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Abstractions.Cluster;

/// <summary>On the silo that coordinates the group by the cluster's map: for groups, and for their members.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CoordinatedByMapAttribute() : PlacementAttribute(CoordinatedByMap.Instance);

[GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class CoordinatedByMap : PlacementStrategy
{
    public static CoordinatedByMap Instance { get; } = new();
}

/// <summary>Where there is no map, or it names a silo that cannot host the grain, any silo does: the mover puts it right.</summary>
internal sealed class CoordinatedByMapDirector(CurrentMap map) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hinted)
            return Task.FromResult(hinted);
        var key = target.GrainIdentity.Key.ToString()!;
        var coordinator = map().CoordinatorOf(IGroupMemberGrain.IdsOf(key)?.GroupId ?? IGroupGrain.IdOf(key))?.Silo;
        return Task.FromResult(coordinator is not null && silos.Contains(coordinator) ? coordinator : silos[Random.Shared.Next(silos.Length)]);
    }
}

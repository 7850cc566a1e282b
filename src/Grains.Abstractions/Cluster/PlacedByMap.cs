using Granary.Abstractions.Partitions;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Abstractions.Cluster;

/// <summary>On the silo that leads the partition by the cluster's map.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PlacedByMapAttribute() : PlacementAttribute(PlacedByMap.Instance);

[GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class PlacedByMap : PlacementStrategy
{
    public static PlacedByMap Instance { get; } = new();
}

/// <summary>Where there is no map, or it names a silo that cannot host the grain, any silo does: the mover puts it right.</summary>
internal sealed class PlacedByMapDirector(CurrentMap map, LeaderTable leaders) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, silos) is { } hinted)
            return Task.FromResult(hinted);
        var leader = PartitionId.TryParse(target.GrainIdentity.Key.ToString(), out var partition)
            ? leaders.Under(map()).Of(partition)?.Silo
            : null;
        return Task.FromResult(leader is not null && silos.Contains(leader) ? leader : silos[Random.Shared.Next(silos.Length)]);
    }
}

using Orleans.Metadata;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

/// <summary>
/// The cluster's silos that are services' own: they host grains of theirs, and none of Granary's. They are no members (<see cref="ClusterMapSource"/>), and
/// no member's row is waited for.
/// </summary>
public sealed class ForeignSilos(IClusterManifestProvider manifests, GrainTypeResolver types)
{
    private readonly GrainType _everyMemberHas = types.GetGrainType(typeof(SiloGrain));

    /// <summary>False as long as Orleans has not heard from that silo what it hosts.</summary>
    public bool Contains(SiloAddress silo) => manifests.Current.Silos.TryGetValue(silo, out var hosts) && !hosts.Grains.ContainsKey(_everyMemberHas);
}

using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Orleans.Concurrency;

namespace Granary.Grains.Placement;

/// <summary>See <see cref="ISiloGrain"/>. Nothing is kept.</summary>
[PlacedOnSilo, Reentrant]
internal sealed class SiloGrain(HostedPartitions hosted, MembersRefresh refresh) : Grain, ISiloGrain
{
    private const int MaxPartitions = 100_000;

    public Task RefreshAsync() => refresh.Invoke();

    public Task<ImmutableArray<HostedPartition>> PartitionsAsync() => Task.FromResult<ImmutableArray<HostedPartition>>([.. hosted.Describe().Take(MaxPartitions)]);
}

/// <summary>Reads the members anew and publishes the map that follows. Whoever forms the cluster provides it.</summary>
public delegate Task MembersRefresh();

using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

/// <summary>A partition that is open on a silo.</summary>
/// <param name="LeaderEpoch">-1: it is being opened.</param>
[GenerateSerializer, Immutable, Alias("granary.HostedPartition")]
public readonly record struct HostedPartition(
    [property: Id(0)] PartitionId Partition,
    [property: Id(1)] int LeaderEpoch,
    [property: Id(2)] long LogStartOffset,
    [property: Id(3)] long HighWatermark);

/// <summary>One silo, to be asked about itself. Key: <see cref="KeyOf"/>; it lives on that silo and on no other.</summary>
[Alias("granary.ISiloGrain")]
public interface ISiloGrain : IGrainWithStringKey
{
    static string KeyOf(SiloAddress silo) => silo.ToParsableString();

    /// <summary>Something about the members has changed: reads it anew now, and answers when it is used.</summary>
    [Alias("Refresh")]
    Task RefreshAsync();

    /// <summary>The partitions that are here now, at most 100,000.</summary>
    [Alias("Partitions")]
    Task<ImmutableArray<HostedPartition>> PartitionsAsync();
}

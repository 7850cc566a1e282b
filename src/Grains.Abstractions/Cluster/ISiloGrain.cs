using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Orleans.Concurrency;
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
    /// <summary>Answers at once: for whoever wants to know whether the silo does.</summary>
    [Alias("Ping")]
    Task PingAsync();

    static string KeyOf(SiloAddress silo) => silo.ToParsableString();

    /// <summary>Something about the members has changed: reads it anew now, and answers when it is used.</summary>
    [Alias("Refresh")]
    Task RefreshAsync();

    /// <summary>The partitions that are here now, at most 100,000.</summary>
    [Alias("Partitions")]
    Task<ImmutableArray<HostedPartition>> PartitionsAsync();

    /// <summary>These partitions are open on that silo, under these leader epochs. At most a few thousand at a time.</summary>
    [Alias("Learn")]
    Task LearnAsync(SiloAddress at, ImmutableArray<HostedPartition> opened);

    /// <summary>
    /// What is in the silo's journal after that id, as soon as there is anything, or after <paramref name="maxWait"/> in any case; 0 asks for all
    /// that is kept. At most 1,000 happenings at a time.
    /// </summary>
    /// <param name="withTopics">Whether the traffic of each topic is wanted too.</param>
    [AlwaysInterleave, Alias("Watch")]
    Task<JournalPage> WatchAsync(long afterId, TimeSpan maxWait, bool withTopics);

    /// <summary>Answers when no activation of that grain is on its way from this silo to another any more: it may come back then.</summary>
    /// <exception cref="TimeoutException">It takes longer than a move may.</exception>
    [Alias("WhenGone")]
    Task WhenGoneAsync(GrainId grain);

    /// <summary>Has the silo hand over its partitions and groups and end, as SIGTERM does. Answers before that is done.</summary>
    [Alias("Drain")]
    Task<DrainAnswer> DrainAsync();
}

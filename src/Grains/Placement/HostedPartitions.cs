using System.Collections.Concurrent;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Placement;

/// <summary>The partitions whose grains are active on this silo, each with a way to ask how it stands. Safe for many threads.</summary>
public sealed class HostedPartitions
{
    private readonly ConcurrentDictionary<PartitionId, Func<HostedPartition>> _here = new();

    public int Count => _here.Count;

    public IEnumerable<PartitionId> Ids => _here.Keys;

    public void Add(PartitionId partition, Func<HostedPartition> describe) => _here[partition] = describe;

    /// <summary>Forgets it, unless a later activation of the same partition has taken its place.</summary>
    public void Remove(PartitionId partition, Func<HostedPartition> describe) =>
        _here.TryRemove(KeyValuePair.Create(partition, describe));

    public IEnumerable<HostedPartition> Describe() => _here.Values.Select(describe => describe());
}

using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// The partitions whose grains are active on this silo, each with a way to ask how it stands; and those that are on their way from here to another.
/// The gateway of the silo serves both, whatever the map says already. In a process without partitions it is empty. Safe for many threads.
/// </summary>
public sealed class HostedPartitions
{
    /// <summary>Beyond it what is known of partitions that have moved away is forgotten: clients ask for metadata then.</summary>
    private const int MaxArrivals = 100_000;

    private readonly ConcurrentDictionary<PartitionId, Func<HostedPartition>> _here = new();
    private readonly ConcurrentDictionary<PartitionId, bool> _leaving = new();
    private readonly ConcurrentDictionary<PartitionId, (SiloAddress At, int LeaderEpoch)> _arrived = new();

    public int Count => _here.Count;

    public IEnumerable<PartitionId> Ids => _here.Keys;

    /// <summary>Its calls are best made from here: its grain is here, or was a moment ago and passes them on.</summary>
    public bool Serves(PartitionId partition) => _here.ContainsKey(partition) || _leaving.ContainsKey(partition);

    public void Add(PartitionId partition, Func<HostedPartition> describe)
    {
        _here[partition] = describe;
        _arrived.TryRemove(partition, out _);
    }

    /// <summary>Forgets it, unless a later activation of the same partition has taken its place.</summary>
    public void Remove(PartitionId partition, Func<HostedPartition> describe) =>
        _here.TryRemove(KeyValuePair.Create(partition, describe));

    /// <summary>It is about to move away; say so by <see cref="EndLeaving"/> when it has arrived, or will not.</summary>
    public void BeginLeaving(PartitionId partition) => _leaving[partition] = true;

    public void EndLeaving(PartitionId partition) => _leaving.TryRemove(partition, out _);

    /// <summary>It has moved from here to that silo, and is open there.</summary>
    public void LearnArrival(PartitionId partition, SiloAddress at, int leaderEpoch)
    {
        if (leaderEpoch < 0)
            return;
        if (_arrived.Count >= MaxArrivals)
            _arrived.Clear();
        _arrived[partition] = (at, leaderEpoch);
    }

    /// <summary>The leader epoch that a partition had when it arrived on that silo from here; -1: it did not, as far as is known.</summary>
    public int EpochOfArrival(PartitionId partition, SiloAddress at) =>
        _arrived.TryGetValue(partition, out var arrived) && arrived.At.Equals(at) ? arrived.LeaderEpoch : -1;

    public IEnumerable<HostedPartition> Describe() => _here.Values.Select(describe => describe());
}

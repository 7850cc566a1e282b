using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// The partitions whose grains are active on this silo, each with a way to ask how it stands; and those that are on their way from here to another.
/// The gateway of the silo serves both, whatever the map says already. In a process without partitions it is empty. Safe for many threads.
/// </summary>
public sealed class HostedPartitions
{
    private readonly ConcurrentDictionary<PartitionId, Func<HostedPartition>> _here = new();
    private readonly ConcurrentDictionary<PartitionId, bool> _leaving = new();

    /// <summary>A partition's log was opened here under that leader epoch. Called on the thread that opened it: it must return at once.</summary>
    public event Action<PartitionId, int>? Opened;

    public int Count => _here.Count;

    public IEnumerable<PartitionId> Ids => _here.Keys;

    /// <summary>Its calls are best made from here: its grain is here, or was a moment ago and passes them on.</summary>
    public bool Serves(PartitionId partition) => _here.ContainsKey(partition) || _leaving.ContainsKey(partition);

    public void Add(PartitionId partition, Func<HostedPartition> describe) => _here[partition] = describe;

    /// <summary>Forgets it, unless a later activation of the same partition has taken its place.</summary>
    public void Remove(PartitionId partition, Func<HostedPartition> describe) =>
        _here.TryRemove(KeyValuePair.Create(partition, describe));

    /// <summary>It is about to move away; say so by <see cref="EndLeaving"/> when it has arrived, or will not.</summary>
    public void BeginLeaving(PartitionId partition) => _leaving[partition] = true;

    public void EndLeaving(PartitionId partition) => _leaving.TryRemove(partition, out _);

    /// <summary>The partition's log was opened here, anew or for the first time.</summary>
    public void TellOpened(PartitionId partition, int leaderEpoch) => Opened?.Invoke(partition, leaderEpoch);

    /// <summary>How it stands; null where it is not here.</summary>
    public HostedPartition? Find(PartitionId partition) => _here.TryGetValue(partition, out var describe) ? describe() : null;

    public IEnumerable<HostedPartition> Describe() => _here.Values.Select(describe => describe());
}

using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

/// <param name="At">The silo that opened the partition under that epoch; null where it has left the cluster since.</param>
/// <param name="Epoch">0 or more.</param>
public readonly record struct KnownLeader(SiloAddress? At, int Epoch);

/// <summary>
/// Where each partition was opened last, as far as this process has heard: a silo hears of its own openings and is told of the others'. A later
/// opening has a higher leader epoch always, so news may come in any order. Safe for many threads.
/// </summary>
public sealed class KnownLeaders
{
    /// <summary>Beyond it nothing new is learned: clients are told of leaders without epochs then.</summary>
    private const int MaxPartitions = 200_000;

    private readonly ConcurrentDictionary<PartitionId, KnownLeader> _known = new();

    /// <summary>Null where nothing was heard of it.</summary>
    public KnownLeader? Find(PartitionId partition) => _known.TryGetValue(partition, out var known) ? known : null;

    /// <summary>
    /// The partition is open on that silo under that leader epoch; older news are passed over, and -1, which says nothing. Where it was said of a silo that it
    /// has left, and it still tells so under the same epoch, it is there.
    /// </summary>
    public void Learn(PartitionId partition, SiloAddress at, int leaderEpoch)
    {
        if (leaderEpoch < 0 || (_known.Count >= MaxPartitions && !_known.ContainsKey(partition)))
            return;
        var news = new KnownLeader(at, leaderEpoch);
        _known.AddOrUpdate(partition, static (_, news) => news, static (_, known, news) => news.Epoch > known.Epoch || (news.Epoch == known.Epoch && known.At is null) ? news : known, news);
    }

    /// <summary>
    /// That silo has left the cluster, for good: the next opening of what it had takes a higher epoch. Not to be said of a silo that has not
    /// been a member yet.
    /// </summary>
    public void Leave(SiloAddress silo)
    {
        foreach (var (partition, known) in _known)
        {
            if (silo.Equals(known.At))
                _known.TryUpdate(partition, known with { At = null }, known);
        }
    }

    /// <summary>Forgets the partitions of topics that are not there any more, once there are so many that it is worth the walk.</summary>
    public void KeepTopics(Func<Guid, bool> exists)
    {
        if (_known.Count < MaxPartitions / 2)
            return;
        foreach (var partition in _known.Keys)
        {
            if (!exists(partition.TopicId))
                _known.TryRemove(partition, out _);
        }
    }
}

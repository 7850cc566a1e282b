using System.Collections.Concurrent;
using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// Which silo leads which partition, by one map and one set of topics: each topic is spread evenly, and so is the whole. Topics are placed in the
/// order of their creation, so a new one moves no other. Safe for many threads.
/// </summary>
public sealed class PartitionLeaders
{
    private readonly ImmutableArray<SiloMember> _hosts;
    private readonly int[] _nodeIds;
    private readonly Dictionary<Guid, (int Count, int[] Room)> _topics;
    private readonly ConcurrentDictionary<Guid, int[]> _placed = new();

    public PartitionLeaders(ClusterMap map, IReadOnlyCollection<TopicDescription> topics)
    {
        _hosts = map.Hosts;
        _nodeIds = [.. _hosts.Select(host => host.NodeId)];
        _topics = new(topics.Count);
        if (_hosts.IsEmpty)
            return;
        var load = new long[_hosts.Length];
        foreach (var topic in topics.OrderBy(topic => topic.CreatedVersion).ThenBy(topic => topic.TopicId))
        {
            var room = PartitionPlacement.RoomOf(topic.TopicId, topic.PartitionCount, _nodeIds, load);
            for (var node = 0; node < room.Length; node++)
                load[node] += room[node];
            _topics[topic.TopicId] = (topic.PartitionCount, room);
        }
    }

    /// <summary>The member that leads the partition; null where the map is empty, or there is no such partition.</summary>
    public SiloMember? Of(PartitionId partition)
    {
        if (!_topics.TryGetValue(partition.TopicId, out var topic) || (uint)partition.Index >= (uint)topic.Count)
            return null;
        var placed = _placed.GetOrAdd(
            partition.TopicId,
            static (topicId, known) => PartitionPlacement.Place(topicId, known.topic.Count, known._nodeIds, known.topic.Room),
            (topic, _nodeIds));
        return _hosts[placed[partition.Index]];
    }
}

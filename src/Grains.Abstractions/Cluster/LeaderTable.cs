using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Cluster;

/// <summary>Keeps the <see cref="PartitionLeaders"/> of the newest map and topics, so that they are computed once for each change. Safe for many threads.</summary>
public sealed class LeaderTable(TopicDirectory topics)
{
    private volatile Computed? _last;

    /// <summary>The leaders by that map, and by the topics as this process knows them now.</summary>
    public PartitionLeaders Under(ClusterMap map)
    {
        var known = topics.ByName;
        if (_last is { } last && ReferenceEquals(last.Map, map) && ReferenceEquals(last.Topics, known))
            return last.Leaders;
        var leaders = new PartitionLeaders(map, [.. known.Values]);
        _last = new Computed(map, known, leaders);
        return leaders;
    }

    private sealed record Computed(ClusterMap Map, IReadOnlyDictionary<string, TopicDescription> Topics, PartitionLeaders Leaders);
}

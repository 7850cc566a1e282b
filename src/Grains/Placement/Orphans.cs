using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

/// <summary>The partitions that lost their silo and are one's own by the new map.</summary>
internal static class Orphans
{
    /// <summary>
    /// A lost silo's partitions are those that the former map placed there, and those that were last heard to be open there: a silo that drains has partitions
    /// that the map places elsewhere already, and one that has just joined does not have all yet that it is to have.
    /// </summary>
    public static List<PartitionId> Of(
        SiloAddress self, IReadOnlyCollection<TopicDescription> topics, ClusterMap former, PartitionLeaders now, IReadOnlySet<SiloAddress> gone, KnownLeaders known)
    {
        var before = new PartitionLeaders(former, topics);
        var orphans = new List<PartitionId>();
        foreach (var topic in topics)
        {
            for (var index = 0; index < topic.PartitionCount; index++)
            {
                var partition = new PartitionId(topic.TopicId, index);
                if (now.Of(partition)?.Silo.Equals(self) is true && (IsIn(gone, before.Of(partition)?.Silo) || IsIn(gone, known.Find(partition))))
                    orphans.Add(partition);
            }
        }

        return orphans;
    }

    private static bool IsIn(IReadOnlySet<SiloAddress> gone, SiloAddress? silo) => silo is not null && gone.Contains(silo);

    /// <summary>Without a place: whoever answers clients has heard first that its silo is gone, and nobody has opened it since.</summary>
    private static bool IsIn(IReadOnlySet<SiloAddress> gone, KnownLeader? last) => last is { } heard && (heard.At is null || gone.Contains(heard.At));
}

using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// The server's `range` assignor (Kafka's RangeAssignor of KIP-848): the subscribers of a topic, in order, take consecutive runs of its
/// partitions, the first ones a partition more where it does not divide. Topics with the same subscribers and as many partitions are therefore
/// cut at the same places: partition n of each goes to the same member, which is what a join of topics needs. Only
/// members' order and number count, so it is sticky no further than that.
/// </summary>
internal static class RangeAssignor
{
    public const string Name = "range";

    public static Dictionary<string, PartitionId[]> Assign(IReadOnlyList<AssignorMember> members, IReadOnlyDictionary<Guid, int> partitionCounts)
    {
        var ordered = ConsumerGroupAssignors.Ordered(members);
        var assigned = ordered.ToDictionary(member => member.MemberId, _ => new List<PartitionId>(), StringComparer.Ordinal);
        foreach (var (topicId, count) in partitionCounts.OrderBy(topic => topic.Key))
        {
            var subscribers = ordered.Where(member => member.Topics.Contains(topicId)).ToArray();
            if (subscribers.Length == 0)
                continue;
            var (share, more) = (count / subscribers.Length, count % subscribers.Length);
            var next = 0;
            for (var place = 0; place < subscribers.Length; place++)
            {
                for (var end = next + share + (place < more ? 1 : 0); next < end; next++)
                    assigned[subscribers[place].MemberId].Add(new PartitionId(topicId, next));
            }
        }

        return assigned.ToDictionary(member => member.Key, member => member.Value.ToArray(), StringComparer.Ordinal);
    }
}

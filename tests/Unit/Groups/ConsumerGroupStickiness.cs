using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>
/// Sticky means sticky: what a target assignment of the uniform assignor moves from one member to another is what balance takes, whatever the step was. Where
/// subscriptions differ, the least is not as easily said: then a target that was even already has to stay (<see cref="ConsumerGroupAssignorTests"/> has more).
/// </summary>
internal sealed class ConsumerGroupStickiness
{
    private Dictionary<string, ImmutableArray<PartitionId>> _before = [];
    private int _epoch;

    public void Remember(ConsumerGroup group)
    {
        _before = group.Members.ToDictionary(NameOf, member => group.TargetOf(member.MemberId));
        _epoch = group.AssignmentEpoch;
    }

    public void Check(ConsumerGroup group, IReadOnlyCollection<ConsumerGroupTopic> topics)
    {
        if (group.AssignmentEpoch != _epoch && group.AssignorName == UniformAssignor.Name && group.Members.Count > 0)
            AssertMovesTheLeast(group, topics);
        Remember(group);
    }

    private void AssertMovesTheLeast(ConsumerGroup group, IReadOnlyCollection<ConsumerGroupTopic> topics)
    {
        var (first, members) = (group.Members.First(), group.Members);
        if (members.Any(member => !ConsumerGroupMembership.SameSubscription(first, member)))
            return;
        var all = topics.Where(topic => group.Reads(topic.TopicId))
            .SelectMany(topic => Enumerable.Range(0, topic.PartitionCount).Select(index => new PartitionId(topic.TopicId, index))).ToHashSet();
        var had = members.Select(member => _before.GetValueOrDefault(NameOf(member), []).Count(all.Contains)).ToArray();
        var (share, more) = (all.Count / members.Count, all.Count % members.Count);
        var least = had.Sum(count => Math.Max(0, count - share)) - Math.Min(more, had.Count(count => count > share));
        var moved = members.Sum(member => _before.GetValueOrDefault(NameOf(member), []).Where(all.Contains).Except(group.TargetOf(member.MemberId)).Count());
        Assert.True(moved == least, $"{moved} partitions moved, and {least} would have done, among {string.Join(", ", had)} of {all.Count}");
        Assert.All(members, member => Assert.InRange(group.TargetOf(member.MemberId).Length, share, share + (more > 0 ? 1 : 0)));
    }

    /// <summary>A static member that comes back has another member id.</summary>
    private static string NameOf(ConsumerGroupMember member) => member.InstanceId ?? member.MemberId;
}

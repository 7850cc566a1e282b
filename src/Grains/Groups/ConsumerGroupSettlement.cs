using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// Which members have what they shall have. The group's state is asked for with every step, so a member is looked at again only where it, its target or the
/// topics are others than when it was found settled: a step of a thousand members must not cost a thousand looks.
/// </summary>
/// <param name="isSettled">Looks at a member.</param>
internal sealed class ConsumerGroupSettlement(Func<ConsumerGroupMember, bool> isSettled)
{
    private readonly Dictionary<string, (ConsumerGroupMember Member, ImmutableArray<PartitionId> Target, long Topics)> _settled = new(StringComparer.Ordinal);

    /// <param name="targetOf">By member id.</param>
    /// <param name="topics">Another one after every change of topics.</param>
    public bool HoldsOf(IReadOnlyCollection<ConsumerGroupMember> members, Func<string, ImmutableArray<PartitionId>> targetOf, long topics)
    {
        // Those who have left are forgotten now and then.
        if (_settled.Count > 2 * members.Count)
            _settled.Clear();
        foreach (var member in members)
        {
            if (!member.IsAway && !Holds(member, targetOf(member.MemberId), topics))
                return false;
        }

        return true;
    }

    private bool Holds(ConsumerGroupMember member, ImmutableArray<PartitionId> target, long topics)
    {
        if (_settled.TryGetValue(member.MemberId, out var known) && ReferenceEquals(known.Member, member) && known.Target == target && known.Topics == topics)
            return true;
        if (!isSettled(member))
            return false;
        _settled[member.MemberId] = (member, target, topics);
        return true;
    }
}

using System.Collections.Immutable;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>A group's change from one protocol to the other, as its grain carries it out: at once, with all members there are (KIP-848, bidirectional).</summary>
internal static class GroupConversion
{
    /// <summary>A classic group with members, for its first consumer member to join.</summary>
    /// <param name="group">As it stands now.</param>
    /// <param name="options">What a consumer group may be.</param>
    /// <param name="topicIds">Of all topics there are, by name.</param>
    /// <returns>Null: it cannot be one, because its members speak some protocol of their own, are too many, or the policy forbids it.</returns>
    public static ConsumerGroupState? ToConsumer(ClassicGroup group, ConsumerGroupOptions options, IReadOnlyDictionary<string, Guid> topicIds)
    {
        var epoch = Math.Max(group.Generation, group.GroupEpoch);
        if (group.Members.Count == 0)
            return new ConsumerGroupState { GroupEpoch = epoch, AssignmentEpoch = epoch };
        if (!ConsumerGroupMigration.CanUpgrade(group.ProtocolType, group.Members.Count, options))
            return null;
        var seats = group.Members.All.Select(member => new ConsumerGroupClassicSeat(
            member.MemberId,
            member.InstanceId,
            member.ClientId,
            member.ClientHost,
            member.SessionTimeout,
            member.RebalanceTimeout,
            [.. member.Protocols.Select(protocol => new ConsumerGroupClassicProtocol(protocol.Name, [.. protocol.Metadata.Span]))],
            member.Assignment.ToArray())).ToArray();
        if (ConsumerGroupMigration.Upgrade(seats, group.Generation, topicIds) is not { } state)
            return null;
        (state.GroupEpoch, state.AssignmentEpoch) = (epoch, epoch);
        return state;
    }

    /// <summary>
    /// A consumer group whose members all speak the classic protocol, or which has none. Members are called together at once. The generation they hear so by is the
    /// newest epoch that one of them has, not the group's, which has grown since, as somebody left: so they are told to join, and can commit until they do. Who is
    /// at an older epoch is fenced and begins anew with nothing: assignors may pass over what is owned by an older generation than others', and give it away at once.
    /// </summary>
    public static ClassicGroupState ToClassic(ConsumerGroup group, IReadOnlyDictionary<Guid, string> topicNames)
    {
        var seats = ConsumerGroupMigration.Downgrade(group.Export(), topicNames);
        return new ClassicGroupState
        {
            State = seats.Count == 0 ? GroupState.Empty : GroupState.PreparingRebalance,
            Generation = seats.Count == 0 ? group.GroupEpoch : Math.Max(0, group.Members.Max(member => member.MemberEpoch)),
            GroupEpoch = group.GroupEpoch,
            ProtocolType = ConsumerGroupMigration.ProtocolType,
            LeaderId = seats.Count == 0 ? null : seats[0].MemberId,
            Members =
            [
                .. seats.Select(seat => new ClassicMemberState(
                    seat.MemberId,
                    seat.InstanceId,
                    seat.ClientId,
                    seat.ClientHost,
                    seat.SessionTimeout,
                    seat.RebalanceTimeout,
                    [.. seat.Protocols.Select(protocol => new GroupProtocol(protocol.Name, protocol.Metadata.ToArray()))],
                    seat.Assignment)),
            ],
        };
    }
}

using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>What a heartbeat says of its member.</summary>
internal static class ConsumerGroupMembership
{
    /// <summary>The member as it now describes itself; the same one where nothing is new.</summary>
    public static ConsumerGroupMember Update(ConsumerGroupMember member, ConsumerGroupHeartbeat beat) => SaysNothingNew(member, beat)
        ? member
        : member with
        {
            InstanceId = beat.InstanceId ?? member.InstanceId,
            RackId = beat.RackId ?? member.RackId,
            ClientId = beat.ClientId,
            ClientHost = beat.ClientHost,
            RebalanceTimeout = beat.RebalanceTimeout ?? member.RebalanceTimeout,
            SubscribedTopics = beat.SubscribedTopics is { } topics ? [.. topics.Distinct().Order(StringComparer.Ordinal)] : member.SubscribedTopics,
            SubscribedRegex = beat.SubscribedRegex ?? member.SubscribedRegex,
            ServerAssignor = beat.ServerAssignor ?? member.ServerAssignor,

            // A member that went over to the consumer protocol sends no more JoinGroup; one that joins says by which protocol.
            Classic = beat.Classic,
        };

    public static bool SameSubscription(ConsumerGroupMember one, ConsumerGroupMember other) =>
        one.SubscribedRegex == other.SubscribedRegex && one.SubscribedTopics.SequenceEqual(other.SubscribedTopics, StringComparer.Ordinal);

    public static bool SaysNothingNew(ConsumerGroupMember member, ConsumerGroupHeartbeat beat) =>
        IsSame(beat.InstanceId, member.InstanceId)
        && IsSame(beat.RackId, member.RackId)
        && beat.ClientId == member.ClientId
        && beat.ClientHost == member.ClientHost
        && (beat.RebalanceTimeout is null || beat.RebalanceTimeout == member.RebalanceTimeout)
        && (beat.SubscribedTopics is not { } topics || topics.Distinct().Order(StringComparer.Ordinal).SequenceEqual(member.SubscribedTopics, StringComparer.Ordinal))
        && IsSame(beat.SubscribedRegex, member.SubscribedRegex)
        && IsSame(beat.ServerAssignor, member.ServerAssignor)
        && beat.Classic is null && member.Classic is null;

    private static bool IsSame(string? said, string? known) => said is null || said == known;
}

using System.Globalization;
using Orleans.Concurrency;

namespace Granary.Abstractions.Groups;

/// <summary>
/// A member of a group of the consumer protocol (KIP-848): takes its heartbeats, and asks the group's grain only where something is new, so that the
/// heartbeats of many members do not queue on one grain. Key: <see cref="KeyOf"/>. A Kafka client's gateway calls it, and so does an in-cluster consumer.
/// </summary>
[Alias("granary.IGroupMemberGrain")]
public interface IGroupMemberGrain : IGrainWithStringKey
{
    private const string Prefix = "m:";

    /// <summary>Both ids are bounded by <see cref="GroupIds.MaxLength"/>; the group's length is told, because ids may hold any character.</summary>
    static string KeyOf(string groupId, string memberId) => $"{Prefix}{groupId.Length}:{groupId}{memberId}";

    /// <summary>The ids that are in a key; null where it is none of a member.</summary>
    static (string GroupId, string MemberId)? IdsOf(string key)
    {
        var end = key.StartsWith(Prefix, StringComparison.Ordinal) ? key.IndexOf(':', Prefix.Length) : -1;
        if (end < 0
            || !int.TryParse(key.AsSpan(Prefix.Length, end - Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || key.Length - end - 1 < length)
            return null;
        return (key.Substring(end + 1, length), key[(end + 1 + length)..]);
    }

    /// <summary>
    /// Every refusal is in the answer, as an <see cref="ErrorCode"/> that Kafka gives: UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, UNRELEASED_INSTANCE_ID,
    /// UNSUPPORTED_ASSIGNOR, INVALID_REQUEST, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR. An exception means that the call failed: send the whole
    /// state (<see cref="ConsumerGroupHeartbeat.IsFull"/>) with the next one.
    /// </summary>
    [Alias("Heartbeat")]
    Task<ConsumerGroupHeartbeatReply> HeartbeatAsync(ConsumerGroupHeartbeat beat);

    /// <summary>From the group: it has news for the member, so that the next heartbeat must ask it.</summary>
    [AlwaysInterleave, Alias("Nudge")]
    Task NudgeAsync();

    /// <summary>From the group: for how long nothing was heard of the member. A grain that was just activated has heard of it just now.</summary>
    [AlwaysInterleave, Alias("Silence")]
    Task<TimeSpan> SilenceAsync();
}

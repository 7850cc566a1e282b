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

    /// <summary>Both ids are bounded by <see cref="IGroupGrain.MaxIdLength"/>; the group's length is told, because ids may hold any character.</summary>
    static string KeyOf(string groupId, string memberId) => $"{Prefix}{groupId.Length}:{groupId}{memberId}";

    /// <summary>
    /// Every refusal is in the answer, as an <see cref="ErrorCode"/> that Kafka gives: UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, UNRELEASED_INSTANCE_ID,
    /// UNSUPPORTED_ASSIGNOR, INVALID_REQUEST, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR. An exception means that the call failed: send the whole
    /// state (<see cref="ConsumerGroupHeartbeat.IsFull"/>) with the next one.
    /// </summary>
    [Alias("Heartbeat")]
    Task<ConsumerGroupHeartbeatReply> HeartbeatAsync(ConsumerGroupHeartbeat beat);
}

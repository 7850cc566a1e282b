using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Groups;

/// <summary>
/// A member's heartbeat (KIP-848). Null means: not said, because it is what it was.
/// </summary>
[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupHeartbeat")]
public sealed record ConsumerGroupHeartbeat
{
    /// <summary>The epoch of a member that joins.</summary>
    public const int Join = 0;

    /// <summary>The epoch of a member that leaves for good.</summary>
    public const int Leave = -1;

    /// <summary>The epoch of a static member that leaves and will come back.</summary>
    public const int LeaveForAWhile = -2;

    /// <summary>Never empty: whoever reads version 0 of the request gives a joining member a new one.</summary>
    [Id(0)]
    public required string MemberId { get; init; }

    [Id(1)]
    public required int MemberEpoch { get; init; }

    [Id(2)]
    public string? InstanceId { get; init; }

    [Id(3)]
    public string? RackId { get; init; }

    [Id(4)]
    public TimeSpan? RebalanceTimeout { get; init; }

    [Id(5)]
    public ImmutableArray<string>? SubscribedTopics { get; init; }

    /// <summary>Empty: no longer subscribed by a regular expression.</summary>
    [Id(6)]
    public string? SubscribedRegex { get; init; }

    [Id(7)]
    public string? ServerAssignor { get; init; }

    [Id(8)]
    public ImmutableArray<PartitionId>? OwnedPartitions { get; init; }

    [Id(9)]
    public string ClientId { get; init; } = "";

    [Id(10)]
    public string ClientHost { get; init; } = "";

    /// <summary>Set where a JoinGroup of the classic protocol is seen as a heartbeat (online migration).</summary>
    [Id(11)]
    public ConsumerGroupClassicMember? Classic { get; init; }

    /// <summary>
    /// Set by the member's grain where it is new: what the member was told last it may have been told by a silo that should have ended, under the same epoch. So
    /// it is told its assignment again.
    /// </summary>
    [Id(12)]
    public bool MayBeMisled { get; init; }

    /// <summary>It says all there is to say: the member does not know what was last answered, and is told its assignment.</summary>
    public bool IsFull => RebalanceTimeout is not null && OwnedPartitions is not null && (SubscribedTopics is not null || SubscribedRegex is not null);
}

/// <param name="MemberEpoch">-1 and -2: has left.</param>
/// <param name="HeartbeatInterval">When the member shall be heard of again.</param>
/// <param name="Assignment">All it may use now; null: what it was.</param>
/// <param name="View">For the member's grain: the member as the group now has it; null where it is not, or no longer, a member.</param>
[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupHeartbeatReply")]
public sealed record ConsumerGroupHeartbeatReply(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] string? Message,
    [property: Id(2)] string MemberId,
    [property: Id(3)] int MemberEpoch,
    [property: Id(4)] TimeSpan HeartbeatInterval,
    [property: Id(5)] ImmutableArray<PartitionId>? Assignment,
    [property: Id(6)] ConsumerGroupMember? View)
{
    public static ConsumerGroupHeartbeatReply Refuse(string memberId, ErrorCode error, string? message = null) => new(error, message, memberId, 0, TimeSpan.Zero, null, null);
}

using System.Collections.Immutable;

namespace Granary.Abstractions.Groups;

/// <summary>A way to share partitions that a member knows (an assignor), and what it tells the leader for it; opaque to the coordinator.</summary>
[GenerateSerializer, Immutable, Alias("granary.GroupProtocol")]
public readonly record struct GroupProtocol([property: Id(0)] string Name, [property: Id(1)] ReadOnlyMemory<byte> Metadata);

/// <summary>A member asks to join, or to join anew (Kafka's JoinGroup).</summary>
/// <param name="MemberId">Empty: it has none yet.</param>
/// <param name="InstanceId">Null: a dynamic member (KIP-345).</param>
/// <param name="RequiresKnownId">A new dynamic member gets an id first and joins with it (KIP-394, from version 4).</param>
/// <param name="CanSkipAssignment">A static leader that comes back may be told that it need not assign (KIP-814, from version 9).</param>
[GenerateSerializer, Immutable, Alias("granary.JoinRequest")]
public sealed record JoinRequest(
    [property: Id(0)] string MemberId,
    [property: Id(1)] string? InstanceId,
    [property: Id(2)] string ClientId,
    [property: Id(3)] string ClientHost,
    [property: Id(4)] TimeSpan SessionTimeout,
    [property: Id(5)] TimeSpan RebalanceTimeout,
    [property: Id(6)] string ProtocolType,
    [property: Id(7)] ImmutableArray<GroupProtocol> Protocols,
    [property: Id(8)] bool RequiresKnownId,
    [property: Id(9)] bool CanSkipAssignment);

/// <summary>A member as its leader sees it.</summary>
[GenerateSerializer, Immutable, Alias("granary.JoinedMember")]
public sealed record JoinedMember([property: Id(0)] string MemberId, [property: Id(1)] string? InstanceId, [property: Id(2)] ReadOnlyMemory<byte> Metadata);

/// <summary>The answer to a join: the generation that has begun, or why there is none for this member.</summary>
/// <param name="Generation">-1 with a refusal.</param>
/// <param name="Members">All members for the leader, none for the others.</param>
[GenerateSerializer, Immutable, Alias("granary.JoinResult")]
public sealed record JoinResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] string MemberId,
    [property: Id(2)] int Generation,
    [property: Id(3)] string? ProtocolType,
    [property: Id(4)] string? ProtocolName,
    [property: Id(5)] string LeaderId,
    [property: Id(6)] bool SkipAssignment,
    [property: Id(7)] ImmutableArray<JoinedMember> Members)
{
    public static JoinResult Refuse(ErrorCode error, string memberId) => new(error, memberId, -1, null, null, "", false, []);
}

/// <summary>Who a call comes from: a member in a generation.</summary>
/// <param name="Generation">-1: none; a consumer that only keeps offsets in the group.</param>
[GenerateSerializer, Immutable, Alias("granary.GroupCaller")]
public readonly record struct GroupCaller(
    [property: Id(0)] string MemberId, [property: Id(1)] string? InstanceId, [property: Id(2)] int Generation);

/// <summary>A member's share, as its leader decided; opaque to the coordinator.</summary>
[GenerateSerializer, Immutable, Alias("granary.MemberAssignment")]
public readonly record struct MemberAssignment([property: Id(0)] string MemberId, [property: Id(1)] ReadOnlyMemory<byte> Assignment);

/// <summary>A member asks for its share; the leader brings all of them (Kafka's SyncGroup).</summary>
/// <param name="ProtocolType">Null: not checked (before version 5).</param>
/// <param name="ProtocolName">Null: not checked (before version 5).</param>
[GenerateSerializer, Immutable, Alias("granary.SyncRequest")]
public sealed record SyncRequest(
    [property: Id(0)] GroupCaller Caller,
    [property: Id(1)] string? ProtocolType,
    [property: Id(2)] string? ProtocolName,
    [property: Id(3)] ImmutableArray<MemberAssignment> Assignments);

[GenerateSerializer, Immutable, Alias("granary.SyncResult")]
public sealed record SyncResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] string? ProtocolType,
    [property: Id(2)] string? ProtocolName,
    [property: Id(3)] ReadOnlyMemory<byte> Assignment)
{
    public static SyncResult Refuse(ErrorCode error) => new(error, null, null, default);
}

/// <summary>Who is to leave: by member id, or, with an empty one, whoever has the instance id.</summary>
[GenerateSerializer, Immutable, Alias("granary.LeavingMember")]
public readonly record struct LeavingMember([property: Id(0)] string MemberId, [property: Id(1)] string? InstanceId);

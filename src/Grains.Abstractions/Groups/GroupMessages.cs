using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Groups;

/// <summary>Where a group stands, with Kafka's names; Assigning and Reconciling are of the consumer protocol, the rebalances of the classic one.</summary>
public enum GroupState
{
    /// <summary>No members; positions may be kept.</summary>
    Empty,

    /// <summary>Members are called together.</summary>
    PreparingRebalance,

    /// <summary>All have joined; the leader decides who gets what.</summary>
    CompletingRebalance,

    /// <summary>Every member can have its share.</summary>
    Stable,

    /// <summary>There is no such group (any more).</summary>
    Dead,

    /// <summary>A new target assignment is to be made.</summary>
    Assigning,

    /// <summary>Members are on their way to the target assignment.</summary>
    Reconciling,
}

/// <summary>Which protocol a group's members speak.</summary>
public enum GroupType : byte
{
    /// <summary>JoinGroup and SyncGroup: a member decides who gets what.</summary>
    Classic,

    /// <summary>KIP-848: the group decides.</summary>
    Consumer,
}

[GenerateSerializer, Immutable, Alias("granary.GroupMember")]
public sealed record GroupMember(
    [property: Id(0)] string MemberId,
    [property: Id(1)] string? InstanceId,
    [property: Id(2)] string ClientId,
    [property: Id(3)] string ClientHost,
    [property: Id(4)] ReadOnlyMemory<byte> Metadata,
    [property: Id(5)] ReadOnlyMemory<byte> Assignment);

/// <param name="ProtocolName">Empty where none is chosen.</param>
/// <param name="Lags">Empty where they were not asked for.</param>
/// <param name="Consumer">What only the consumer protocol has; null: it is a group of the classic one.</param>
[GenerateSerializer, Immutable, Alias("granary.GroupDescription")]
public sealed record GroupDescription(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] GroupState State,
    [property: Id(2)] string ProtocolType,
    [property: Id(3)] string ProtocolName,
    [property: Id(4)] int Generation,
    [property: Id(5)] ImmutableArray<GroupMember> Members,
    [property: Id(6)] ImmutableArray<PartitionLag> Lags,
    [property: Id(7)] ConsumerGroupDescription? Consumer = null)
{
    public static GroupDescription Missing { get; } = new(ErrorCode.GroupIdNotFound, GroupState.Dead, "", "", -1, [], []);
}

/// <param name="Assignor">Empty before the first target.</param>
[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupDescription")]
public sealed record ConsumerGroupDescription(
    [property: Id(0)] int GroupEpoch,
    [property: Id(1)] int AssignmentEpoch,
    [property: Id(2)] string Assignor,
    [property: Id(3)] ImmutableArray<DescribedMember> Members);

/// <param name="Target">What it shall have once all others have given back what they must.</param>
[GenerateSerializer, Immutable, Alias("granary.DescribedMember")]
public sealed record DescribedMember([property: Id(0)] ConsumerGroupMember Member, [property: Id(1)] ImmutableArray<PartitionId> Target);

/// <summary>A group in a list.</summary>
[GenerateSerializer, Immutable, Alias("granary.GroupListing")]
public sealed record GroupListing(
    [property: Id(0)] string GroupId, [property: Id(1)] string ProtocolType, [property: Id(2)] GroupState State, [property: Id(3)] GroupType Type = GroupType.Classic);

using System.Collections.Immutable;

namespace Granary.Abstractions.Groups;

/// <summary>Where a group of the classic protocol stands, with Kafka's names.</summary>
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
[GenerateSerializer, Immutable, Alias("granary.GroupDescription")]
public sealed record GroupDescription(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] GroupState State,
    [property: Id(2)] string ProtocolType,
    [property: Id(3)] string ProtocolName,
    [property: Id(4)] int Generation,
    [property: Id(5)] ImmutableArray<GroupMember> Members,
    [property: Id(6)] ImmutableArray<PartitionLag> Lags)
{
    public static GroupDescription Missing { get; } = new(ErrorCode.GroupIdNotFound, GroupState.Dead, "", "", -1, [], []);
}

/// <summary>A group in a list.</summary>
[GenerateSerializer, Immutable, Alias("granary.GroupListing")]
public sealed record GroupListing([property: Id(0)] string GroupId, [property: Id(1)] string ProtocolType, [property: Id(2)] GroupState State);

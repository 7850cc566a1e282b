using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Groups;

/// <summary>How far a member is on its way to the target assignment. The transitions are at the group's ConsumerGroupReconciliation.</summary>
public enum ConsumerGroupMemberState : byte
{
    /// <summary>It has all it shall have.</summary>
    Stable,

    /// <summary>It was told to give partitions back and has not said that it did.</summary>
    UnrevokedPartitions,

    /// <summary>It waits for partitions that other members have not given back.</summary>
    UnreleasedPartitions,
}

/// <summary>What the classic protocol knows of a member of a consumer group.</summary>
/// <param name="Protocols">Names and metadata of its JoinGroup, the ones it likes best first.</param>
[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupClassicMember")]
public sealed record ConsumerGroupClassicMember(
    [property: Id(0)] TimeSpan SessionTimeout,
    [property: Id(1)] ImmutableArray<ConsumerGroupClassicProtocol> Protocols);

[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupClassicProtocol")]
public sealed record ConsumerGroupClassicProtocol([property: Id(0)] string Name, [property: Id(1)] ImmutableArray<byte> Metadata);

/// <summary>A member as the group has it; each change makes a new one.</summary>
[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupMember")]
public sealed record ConsumerGroupMember
{
    [Id(0)]
    public required string MemberId { get; init; }

    [Id(1)]
    public string? InstanceId { get; init; }

    [Id(2)]
    public string? RackId { get; init; }

    [Id(3)]
    public string ClientId { get; init; } = "";

    [Id(4)]
    public string ClientHost { get; init; } = "";

    /// <summary>How long it may take to give partitions back.</summary>
    [Id(5)]
    public TimeSpan RebalanceTimeout { get; init; }

    /// <summary>Sorted, each once.</summary>
    [Id(6)]
    public ImmutableArray<string> SubscribedTopics { get; init; } = [];

    /// <summary>Empty: none.</summary>
    [Id(7)]
    public string SubscribedRegex { get; init; } = "";

    [Id(8)]
    public string? ServerAssignor { get; init; }

    [Id(9)]
    public ConsumerGroupMemberState State { get; init; }

    /// <summary>-2: a static member that left for a while; 0 before its first assignment.</summary>
    [Id(10)]
    public int MemberEpoch { get; init; }

    /// <summary>The one before, still accepted while the member may not have heard of the new one.</summary>
    [Id(11)]
    public int PreviousMemberEpoch { get; init; }

    /// <summary>What it may use, sorted.</summary>
    [Id(12)]
    public ImmutableArray<PartitionId> Assigned { get; init; } = [];

    /// <summary>What it must give back and may still be using, sorted.</summary>
    [Id(13)]
    public ImmutableArray<PartitionId> Revoking { get; init; } = [];

    /// <summary>Null: it speaks the consumer protocol.</summary>
    [Id(14)]
    public ConsumerGroupClassicMember? Classic { get; init; }

    public bool IsAway => MemberEpoch == ConsumerGroupHeartbeat.LeaveForAWhile;

    /// <summary>Nobody else may be given these.</summary>
    public IEnumerable<PartitionId> Owned => Assigned.Concat(Revoking);
}

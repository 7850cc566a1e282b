using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Groups;

/// <summary>A position that is to be kept.</summary>
/// <param name="Offset">The next one to read.</param>
/// <param name="LeaderEpoch">Of the last record that was read; -1: not known.</param>
[GenerateSerializer, Immutable, Alias("granary.OffsetToCommit")]
public readonly record struct OffsetToCommit(
    [property: Id(0)] PartitionId Partition, [property: Id(1)] long Offset, [property: Id(2)] int LeaderEpoch, [property: Id(3)] string Metadata);

/// <summary>One answer per offset, in their order.</summary>
/// <param name="KnowsMemberEpochs">
/// The caller's generation may be a member epoch (KIP-848; Kafka's OffsetCommit from version 9 on). One that does not know of them is no member of the
/// consumer protocol, and is told so with UNSUPPORTED_VERSION.
/// </param>
[GenerateSerializer, Immutable, Alias("granary.CommitRequest")]
public sealed record CommitRequest(
    [property: Id(0)] GroupCaller Caller, [property: Id(1)] ImmutableArray<OffsetToCommit> Offsets, [property: Id(2)] bool KnowsMemberEpochs = true);

/// <summary>A position that is kept.</summary>
/// <param name="Offset">As a client committed it; below zero it is none (<see cref="IsPosition"/>).</param>
[GenerateSerializer, Immutable, Alias("granary.CommittedOffset")]
public readonly record struct CommittedOffset(
    [property: Id(0)] PartitionId Partition, [property: Id(1)] long Offset, [property: Id(2)] int LeaderEpoch, [property: Id(3)] string Metadata)
{
    /// <summary>
    /// Whether a reader goes on there. Kafka's brokers keep what clients commit, -1 and -2 as well (kafkajs' resetOffsets does so), and its clients take that
    /// for no offset: they begin where their policy says.
    /// </summary>
    public bool IsPosition => Offset >= 0;
}

/// <summary>The group's positions; partitions without one are left out.</summary>
[GenerateSerializer, Immutable, Alias("granary.CommittedOffsets")]
public sealed record CommittedOffsets([property: Id(0)] ErrorCode Error, [property: Id(1)] ImmutableArray<CommittedOffset> Offsets);

/// <summary>How far a group is behind in one partition.</summary>
/// <param name="HighWatermark">The partition's; -1: it could not be asked.</param>
/// <param name="Lag">Records between the two; -1: not known.</param>
/// <param name="LogStartOffset">The partition's; -1: it could not be asked.</param>
/// <param name="OldestAge">Age of the oldest record that is not consumed; zero: there is none; null: not known.</param>
[GenerateSerializer, Immutable, Alias("granary.PartitionLag")]
public readonly record struct PartitionLag(
    [property: Id(0)] CommittedOffset Committed,
    [property: Id(1)] long HighWatermark,
    [property: Id(2)] long Lag,
    [property: Id(3)] long LogStartOffset = -1,
    [property: Id(4)] TimeSpan? OldestAge = null);

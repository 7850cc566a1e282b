using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Storage;

/// <summary>One batch to append.</summary>
/// <param name="BaseOffset">Its first record's offset, already stamped into the bytes.</param>
/// <param name="EndOffset">Exclusive.</param>
/// <param name="MaxTimestamp">Newest record's time, in ms since 1970; -1 where it has none.</param>
/// <param name="Bytes">The whole batch. Not changed by anyone until its fate is known.</param>
/// <param name="Limits">When the segment it falls into is to be closed.</param>
public readonly record struct StagedBatch(
    long BaseOffset,
    long EndOffset,
    long MaxTimestamp,
    ReadOnlyMemory<byte> Bytes,
    SegmentLimits Limits);

/// <param name="SizeBytes">segment.bytes.</param>
/// <param name="Age">segment.ms.</param>
/// <param name="Retention">retention.ms (null: for ever): chooses the family of slabs that the partition shares.</param>
public sealed record SegmentLimits(long SizeBytes, TimeSpan Age, TimeSpan? Retention);

/// <summary>A batch as it lies in the store.</summary>
public readonly record struct StoredBatch(long BaseOffset, long EndOffset, long MaxTimestamp, ReadOnlyMemory<byte> Bytes);

/// <param name="EndOffset">Exclusive.</param>
/// <param name="CreatedAt">When its first batch was appended.</param>
public sealed record StoredSegment(
    long BaseOffset,
    long EndOffset,
    long SizeBytes,
    long MaxTimestamp,
    DateTimeOffset CreatedAt,
    bool IsActive);

/// <summary>What one topic's partitions may keep.</summary>
public readonly record struct RetentionBound
{
    public required Guid TopicId { get; init; }

    /// <summary>Records with a time below it may go (ms since 1970); null: none may.</summary>
    public required long? OldestTimestamp { get; init; }

    /// <summary>How much a partition may hold; null: any amount.</summary>
    public required long? MaxBytes { get; init; }
}

/// <summary>What became of a write.</summary>
public enum AppendOutcome : byte
{
    /// <summary>It is on disk.</summary>
    Committed,

    /// <summary>Another owner has raised the leader epoch (or the log is deleted): nothing was written.</summary>
    Fenced,

    /// <summary>PostgreSQL refused it or was not there: nothing was written, and nothing more will be under this ownership.</summary>
    NotWritten,

    /// <summary>The connection broke while it committed: it may or may not be on disk. Reopen and look.</summary>
    Unknown,

    /// <summary>The writer's queue is full: nothing was written. The ownership stands.</summary>
    Overloaded,
}

/// <summary>
/// An ownership of a partition: what <see cref="IPartitionStore.OpenAsync"/> gave. Once a write under it was fenced, failed or became
/// unknown, every later one is refused as <see cref="AppendOutcome.NotWritten"/>: open again.
/// </summary>
public abstract class OwnedPartition(PartitionId partition, int leaderEpoch)
{
    public PartitionId Partition { get; } = partition;

    public int LeaderEpoch { get; } = leaderEpoch;
}

/// <param name="LogStartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive: the next offset to assign. All below it is on disk.</param>
/// <param name="LeaderEpochs">All epochs that are known to have appended, and this one: epoch and its first offset, ascending.</param>
/// <param name="ProducerSnapshot">What was carried along, or what <see cref="IPartitionStore.SaveProducersAsync"/> saved last; empty where nothing.</param>
/// <param name="ProducerSnapshotOffset">The offset (exclusive) that the snapshot speaks for; the log start where there is none.</param>
/// <param name="HeadersAfterSnapshot">The 61-byte headers of all batches at or after that offset, in order.</param>
/// <param name="UnsavedBatches">Batches that the saved states do not know.</param>
public sealed record OpenedPartition(
    OwnedPartition Owned,
    long LogStartOffset,
    long EndOffset,
    ImmutableArray<(int Epoch, long StartOffset)> LeaderEpochs,
    ReadOnlyMemory<byte> ProducerSnapshot,
    long ProducerSnapshotOffset,
    IReadOnlyList<ReadOnlyMemory<byte>> HeadersAfterSnapshot,
    int UnsavedBatches);

/// <summary>The producers' states that came along with a partition which was handed over, so that they need not be saved and read again.</summary>
/// <param name="EndOffset">The offset (exclusive) that they speak for.</param>
/// <param name="UnsavedBatches">Batches since they were saved last.</param>
[GenerateSerializer, Immutable, Alias("granary.CarriedProducers")]
public sealed record CarriedProducers([property: Id(0)] long EndOffset, [property: Id(1)] ReadOnlyMemory<byte> Snapshot, [property: Id(2)] int UnsavedBatches);

/// <summary>PostgreSQL cannot be reached or does not answer; nothing is known to have happened.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The partition was deleted: there is no such log any more.</summary>
public sealed class PartitionDeletedException(PartitionId partition) : Exception($"partition {partition} was deleted");

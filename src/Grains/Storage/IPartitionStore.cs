using Granary.Abstractions.Partitions;

namespace Granary.Grains.Storage;

/// <summary>
/// Where partitions' logs lie. Two implementations: PostgreSQL, and a faulty one around it for tests. Whatever writes is fenced by the
/// leader epoch that <see cref="OpenAsync"/> raised: an owner that was succeeded can write nothing, whatever it believes.
/// Exceptions: <see cref="StoreUnavailableException"/> where PostgreSQL cannot be reached (nothing is known to have happened), or, for what only reads,
/// is too busy. What only reads ends at once when it is cancelled.
/// </summary>
public interface IPartitionStore
{
    /// <summary>
    /// Takes the partition over: creates it where it is new, raises its leader epoch, and reads what an owner needs. From the moment
    /// this commits every former owner is fenced.
    /// </summary>
    /// <param name="carried">The producers as the former owner knew them: where they speak for the log's end, no batch headers are read.</param>
    Task<OpenedPartition> OpenAsync(PartitionId partition, CarriedProducers? carried, CancellationToken cancellation);

    /// <summary>
    /// Queues one batch for the next group commit and answers when its fate is known. Call in offset order per partition: the batch's
    /// base offset must be the end of the one queued before. Never throws for what happens in PostgreSQL. Where the queue is full the task that
    /// is returned is complete already (<see cref="AppendOutcome.Overloaded"/>), so that nothing needs to be staged behind it.
    /// </summary>
    Task<AppendOutcome> AppendAsync(OwnedPartition partition, StagedBatch batch);

    /// <summary>
    /// Whole batches from the one that contains <paramref name="fromOffset"/> on, up to <paramref name="endOffset"/> (exclusive),
    /// about <paramref name="maxBytes"/> of them, the first one whole in any case. Empty where nothing is there.
    /// </summary>
    Task<IReadOnlyList<StoredBatch>> ReadAsync(OwnedPartition partition, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation);

    /// <summary>
    /// The first batch at or after the log start whose newest record, as its header says, is at or after <paramref name="timestamp"/>; null where none is.
    /// Only what begins at <paramref name="fromOffset"/> or later; what is skipped is not read.
    /// </summary>
    Task<StoredBatch?> FindByTimestampAsync(OwnedPartition partition, long timestamp, long fromOffset, long endOffset, CancellationToken cancellation);

    /// <summary>The first batch that holds the log's largest timestamp; null where the log is empty.</summary>
    Task<StoredBatch?> FindMaxTimestampAsync(OwnedPartition partition, long endOffset, CancellationToken cancellation);

    /// <summary>All segments from the log start on, oldest first; the last one is active where it holds anything.</summary>
    Task<IReadOnlyList<StoredSegment>> ListSegmentsAsync(OwnedPartition partition, CancellationToken cancellation);

    /// <summary>Bytes of the whole batches that hold offsets from <paramref name="startOffset"/> up to <paramref name="endOffset"/> (exclusive), exact.</summary>
    Task<long> MeasureAsync(OwnedPartition partition, long startOffset, long endOffset, CancellationToken cancellation);

    /// <summary>Moves the log start up (never down) and forgets segments that end at or before it. Fenced.</summary>
    Task<AppendOutcome> AdvanceLogStartAsync(OwnedPartition partition, long logStartOffset, CancellationToken cancellation);

    /// <summary>Committed where the ownership stands at this moment: for answers that only the partition's owner may give. Fenced.</summary>
    Task<AppendOutcome> ConfirmAsync(OwnedPartition partition, CancellationToken cancellation);

    /// <summary>Saves the producers' states as they were at <paramref name="asOfOffset"/> (exclusive), so that opening replays less. Fenced.</summary>
    Task<AppendOutcome> SaveProducersAsync(OwnedPartition partition, long asOfOffset, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation);

    /// <summary>
    /// Partitions that may have something to drop, at most <paramref name="limit"/>, without opening them: their oldest segment's newest record is older
    /// than its topic's bound, or they hold more than its bytes. Whether it is so is for their owners to say, by their segments.
    /// </summary>
    Task<IReadOnlyList<PartitionId>> ListExpiredAsync(IReadOnlyList<RetentionBound> bounds, int limit, CancellationToken cancellation);

    /// <summary>Forgets the partition and all of its data. Safe to repeat, and for one that never was.</summary>
    Task DeleteAsync(PartitionId partition, CancellationToken cancellation);
}

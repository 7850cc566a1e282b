using Granary.Abstractions.Records;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Granary.Abstractions.Partitions;

/// <summary>
/// One partition's log. Key: <see cref="PartitionId.ToKey"/>. Calls interleave; appends are given offsets in the order in
/// which they arrive. Every answer carries its refusal as an <see cref="ErrorCode"/>; an exception means that the call itself failed.
/// </summary>
[Alias("granary.IPartitionGrain")]
public interface IPartitionGrain : IGrainWithStringKey
{
    /// <summary>
    /// Appends one record batch; answers when it is durable. The caller gives up the batch's memory with the call: the log stamps
    /// base offset and leader epoch into it and keeps it. A retry needs a fresh copy.
    /// </summary>
    [Alias("Append")]
    Task<AppendResult> AppendAsync(AppendRequest request);

    /// <summary>Reads whole batches from the one that contains the asked offset on, without waiting for more to come.</summary>
    [Alias("Read")]
    Task<ReadResult> ReadAsync(ReadRequest request);

    /// <summary>
    /// Answers as soon as the bound of the asked isolation lies above <see cref="WaitRequest.Offset"/>, when the wait is over, or when
    /// the same reader waits anew. Never a refusal of its own: the reader reads again and learns it there.
    /// </summary>
    [Alias("Wait")]
    Task WaitAsync(WaitRequest request);

    /// <summary>Finds an offset by timestamp, or by one of the special values of <see cref="OffsetQuery"/>.</summary>
    [Alias("FindOffset")]
    Task<OffsetResult> FindOffsetAsync(OffsetQuery query);

    /// <summary>Where a leader epoch ended (Kafka's OffsetForLeaderEpoch): the start offset of the first later epoch, or the log's end.</summary>
    [Alias("FindEpochEnd")]
    Task<EpochEndResult> FindEpochEndAsync(int leaderEpoch, int currentLeaderEpoch);

    /// <summary>Bytes of the whole batches that hold offsets of a range, exact; it reads sizes, at the most of two segments batch by batch.</summary>
    [ResponseTimeout("00:05:00"), Alias("Measure")]
    Task<RangeSize> MeasureAsync(OffsetRange range);

    /// <summary>How far a reader that goes on at <paramref name="offset"/> is behind, in records and in time; at most one batch is read for it.</summary>
    [Alias("MeasureLag")]
    Task<LagResult> MeasureLagAsync(long offset);

    /// <summary>Moves the log start offset up to <paramref name="beforeOffset"/> (exclusive bound of what goes; -1: the high watermark).</summary>
    [Alias("DeleteRecords")]
    Task<DeleteRecordsResult> DeleteRecordsAsync(long beforeOffset);

    /// <summary>Drops whole segments that the topic's retention.ms and retention.bytes no longer keep.</summary>
    [Alias("ApplyRetention")]
    Task ApplyRetentionAsync();

    /// <summary>Offsets, epochs, segments, producers and readers of this log, for people.</summary>
    [Alias("Describe")]
    Task<PartitionDescription> DescribeAsync();

    /// <summary>
    /// Hands the partition over from one silo to another, with its newest batches; calls that arrive meanwhile are answered there. Nothing
    /// happens where it is not on <paramref name="from"/>. Answers before it has moved.
    /// </summary>
    [Alias("Move")]
    Task MoveAsync(SiloAddress from, SiloAddress to);

    /// <summary>Deletes the log for ever. Called by the catalog when its topic was deleted; safe to repeat.</summary>
    [Alias("Delete")]
    Task DeleteAsync();
}

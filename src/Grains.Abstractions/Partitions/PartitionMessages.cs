using System.Collections.Immutable;
using Granary.Abstractions.Records;

namespace Granary.Abstractions.Partitions;

/// <summary>One record batch to append. <paramref name="Batch"/> holds exactly one batch of magic 2, its CRC already checked.</summary>
/// <param name="ExpectedOffset">The offset that its first record is to have, or <see cref="AnyOffset"/>. Where the log ends elsewhere nothing is appended, and the
/// answer is OFFSET_OUT_OF_RANGE with the log's end as <see cref="AppendResult.BaseOffset"/>; a duplicate is answered as one.</param>
[GenerateSerializer, Immutable, Alias("granary.AppendRequest")]
public sealed record AppendRequest([property: Id(0)] RecordBytes Batch, [property: Id(1)] long ExpectedOffset = AppendRequest.AnyOffset)
{
    public const long AnyOffset = -1;
}

/// <param name="Error">None, or why nothing was appended.</param>
/// <param name="BaseOffset">Offset of the batch's first record; the first copy's for a duplicate; the log's end where another was expected; -1 with another error.</param>
/// <param name="LogAppendTime">Milliseconds since 1970 where the topic stamps append time, else -1.</param>
/// <param name="LogStartOffset">The log's first offset (inclusive), or -1 where unknown.</param>
/// <param name="LeaderEpoch">The epoch that answers, or -1 where unknown.</param>
/// <param name="Message">What was wrong, with the value and the limit; null when nothing was.</param>
[GenerateSerializer, Immutable, Alias("granary.AppendResult")]
public sealed record AppendResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] long BaseOffset,
    [property: Id(2)] long LogAppendTime,
    [property: Id(3)] long LogStartOffset,
    [property: Id(4)] int LeaderEpoch,
    [property: Id(5)] string? Message = null)
{
    public static AppendResult Refused(ErrorCode error, string? message = null, int leaderEpoch = -1, long logStartOffset = -1) =>
        new(error, -1, -1, logStartOffset, leaderEpoch, message);
}

/// <summary>Which records a reader may see (KIP-98).</summary>
public enum IsolationLevel : byte
{
    /// <summary>Up to the high watermark.</summary>
    ReadUncommitted = 0,

    /// <summary>Up to the last stable offset.</summary>
    ReadCommitted = 1,
}

/// <param name="Offset">First offset wanted; a batch that contains it is returned whole.</param>
/// <param name="MaxBytes">How much to return. The first batch comes whole even where it is larger (KIP-74), unless <paramref name="Strict"/>.</param>
/// <param name="CurrentLeaderEpoch">The epoch the reader believes in, or -1.</param>
/// <param name="Isolation">Bound of what is visible.</param>
/// <param name="Strict">True: a first batch above <paramref name="MaxBytes"/> is left out (the answer as a whole already carries data).</param>
/// <param name="ClientId">Who reads, for people; null: not told. At most <see cref="MaxClientId"/> characters.</param>
[GenerateSerializer, Immutable, Alias("granary.ReadRequest")]
public sealed record ReadRequest(
    [property: Id(0)] long Offset,
    [property: Id(1)] int MaxBytes,
    [property: Id(2)] int CurrentLeaderEpoch = -1,
    [property: Id(3)] IsolationLevel Isolation = IsolationLevel.ReadUncommitted,
    [property: Id(4)] bool Strict = false,
    [property: Id(5)] string? ClientId = null)
{
    public const int MaxClientId = 255;
}

/// <param name="Error">None, OffsetOutOfRange, FencedLeaderEpoch, UnknownLeaderEpoch, NotLeaderOrFollower, …</param>
/// <param name="HighWatermark">Exclusive bound of what is durable; -1 where unknown.</param>
/// <param name="LastStableOffset">Exclusive bound for read_committed; -1 where unknown.</param>
/// <param name="LogStartOffset">First offset of the log (inclusive); -1 where unknown.</param>
/// <param name="LeaderEpoch">The epoch that answers; -1 where unknown.</param>
/// <param name="Records">Whole batches, in offset order; empty where nothing is there.</param>
[GenerateSerializer, Immutable, Alias("granary.ReadResult")]
public sealed record ReadResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] long HighWatermark,
    [property: Id(2)] long LastStableOffset,
    [property: Id(3)] long LogStartOffset,
    [property: Id(4)] int LeaderEpoch,
    [property: Id(5)] RecordBytes Records);

/// <param name="ReaderId">Who waits: a number unique among readers. One reader waits at most once on a partition: a new wait ends the former.</param>
/// <param name="Offset">Answer once the bound is above this offset (pass the bound seen last).</param>
/// <param name="MaxWait">How long at the most.</param>
/// <param name="Isolation">Which bound.</param>
/// <param name="ClientId">As in <see cref="ReadRequest"/>.</param>
[GenerateSerializer, Immutable, Alias("granary.WaitRequest")]
public sealed record WaitRequest(
    [property: Id(0)] Guid ReaderId,
    [property: Id(1)] long Offset,
    [property: Id(2)] TimeSpan MaxWait,
    [property: Id(3)] IsolationLevel Isolation = IsolationLevel.ReadUncommitted,
    [property: Id(4)] string? ClientId = null);

/// <param name="Timestamp">Milliseconds since 1970, or one of the constants below.</param>
/// <param name="CurrentLeaderEpoch">The epoch the caller believes in, or -1.</param>
/// <param name="Isolation">Which bound <see cref="Latest"/> names.</param>
[GenerateSerializer, Immutable, Alias("granary.OffsetQuery")]
public sealed record OffsetQuery(
    [property: Id(0)] long Timestamp,
    [property: Id(1)] int CurrentLeaderEpoch = -1,
    [property: Id(2)] IsolationLevel Isolation = IsolationLevel.ReadUncommitted)
{
    /// <summary>The next offset to be readable.</summary>
    public const long Latest = -1;

    /// <summary>The log start offset.</summary>
    public const long Earliest = -2;

    /// <summary>The first record that has the largest timestamp (KIP-734).</summary>
    public const long MaxTimestamp = -3;

    /// <summary>The log start offset of what lies on local storage (KIP-405): the same as <see cref="Earliest"/> here.</summary>
    public const long EarliestLocal = -4;

    /// <summary>The last offset in tiered storage (KIP-1005): there is none here.</summary>
    public const long LatestTiered = -5;
}

/// <summary>Offset -1 with no error: no record has that timestamp or a later one.</summary>
[GenerateSerializer, Immutable, Alias("granary.OffsetResult")]
public sealed record OffsetResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] long Offset,
    [property: Id(2)] long Timestamp,
    [property: Id(3)] int LeaderEpoch);

/// <summary>The largest epoch not above the asked one (-1: none known) and its exclusive end offset (-1 likewise).</summary>
[GenerateSerializer, Immutable, Alias("granary.EpochEndResult")]
public sealed record EpochEndResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] int LeaderEpoch,
    [property: Id(2)] long EndOffset);

/// <param name="StartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive.</param>
[GenerateSerializer, Immutable, Alias("granary.OffsetRange")]
public readonly record struct OffsetRange([property: Id(0)] long StartOffset, [property: Id(1)] long EndOffset);

/// <param name="SizeBytes">-1 with an error.</param>
[GenerateSerializer, Immutable, Alias("granary.RangeSize")]
public readonly record struct RangeSize([property: Id(0)] ErrorCode Error, [property: Id(1)] long SizeBytes);

/// <param name="LogStartOffset">Inclusive; -1 with an error.</param>
/// <param name="HighWatermark">Exclusive; -1 with an error.</param>
/// <param name="OldestAge">Since the first record that was not read: its timestamp against the silo's clock, never negative; zero where all was read; null
/// where the record has no timestamp or cannot be read now.</param>
[GenerateSerializer, Immutable, Alias("granary.LagResult")]
public readonly record struct LagResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] long LogStartOffset,
    [property: Id(2)] long HighWatermark,
    [property: Id(3)] TimeSpan? OldestAge);

[GenerateSerializer, Immutable, Alias("granary.DeleteRecordsResult")]
public sealed record DeleteRecordsResult(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] long LowWatermark);

/// <summary>What a person may want to know of one partition. Offsets: start inclusive, ends exclusive; times in ms since 1970.</summary>
[GenerateSerializer, Immutable, Alias("granary.PartitionDescription")]
public sealed record PartitionDescription(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] PartitionId Partition,
    [property: Id(2)] int LeaderEpoch,
    [property: Id(3)] long LogStartOffset,
    [property: Id(4)] long HighWatermark,
    [property: Id(5)] long LastStableOffset,
    [property: Id(6)] long SizeBytes,
    [property: Id(7)] string SiloName,
    [property: Id(8)] ImmutableArray<LeaderEpochDescription> LeaderEpochs,
    [property: Id(9)] ImmutableArray<SegmentDescription> Segments,
    [property: Id(10)] ImmutableArray<ProducerDescription> Producers,
    [property: Id(11)] int WaitingReaders,
    [property: Id(12)] ImmutableArray<ReaderDescription> Readers);

[GenerateSerializer, Immutable, Alias("granary.LeaderEpochDescription")]
public sealed record LeaderEpochDescription([property: Id(0)] int Epoch, [property: Id(1)] long StartOffset);

[GenerateSerializer, Immutable, Alias("granary.SegmentDescription")]
public sealed record SegmentDescription(
    [property: Id(0)] long BaseOffset,
    [property: Id(1)] long EndOffset,
    [property: Id(2)] long SizeBytes,
    [property: Id(3)] long MaxTimestamp,
    [property: Id(4)] bool Active,
    [property: Id(5)] long CreatedAt);

/// <summary>Who reads, or has read lately.</summary>
/// <param name="Offset">What was asked for last.</param>
[GenerateSerializer, Immutable, Alias("granary.ReaderDescription")]
public sealed record ReaderDescription([property: Id(0)] string ClientId, [property: Id(1)] long Offset, [property: Id(2)] long LastFetchAt);

[GenerateSerializer, Immutable, Alias("granary.ProducerDescription")]
public sealed record ProducerDescription(
    [property: Id(0)] long ProducerId,
    [property: Id(1)] short Epoch,
    [property: Id(2)] int LastSequence,
    [property: Id(3)] long LastOffset,
    [property: Id(4)] long LastTimestamp);

using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>A log as it is shown to people.</summary>
internal static class LogPicture
{
    public static PartitionDescription Of(
        OpenLog log, ErrorCode error, IReadOnlyList<StoredSegment> segments, string siloName, int waitingReaders, ImmutableArray<ReaderDescription> readers) => new(
        error,
        log.Owned.Partition,
        log.Offsets.LeaderEpoch,
        log.Offsets.LogStartOffset,
        log.Offsets.HighWatermark,
        log.Offsets.LastStableOffset,
        segments.Sum(segment => segment.SizeBytes),
        siloName,
        [.. log.Epochs.All.Select(epoch => new LeaderEpochDescription(epoch.Epoch, epoch.StartOffset))],
        [.. segments.Select(segment => new SegmentDescription(segment.BaseOffset, segment.EndOffset, segment.SizeBytes, segment.MaxTimestamp, segment.IsActive, segment.CreatedAt.ToUnixTimeMilliseconds()))],
        [.. log.Producers.All.Select(one => new ProducerDescription(one.ProducerId, one.Epoch, one.Last.LastSequence, LastOffsetOf(one.Last), one.Last.Timestamp))],
        waitingReaders,
        readers);

    private static long LastOffsetOf(in ProducerBatch batch) =>
        batch.BaseOffset + (((long)batch.LastSequence - batch.FirstSequence) & int.MaxValue);
}

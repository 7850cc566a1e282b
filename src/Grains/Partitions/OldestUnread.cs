using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>
/// How old the first record is that a reader has not read. At most one batch is read, from the tail cache where it is there; it is decoded only where
/// the reader stands within it, as a batch's header has the time of its first record. A reader that stands still is answered from memory.
/// </summary>
internal sealed class OldestUnread(IPartitionStore store)
{
    private (long Offset, long Timestamp) _last = (-1, RecordBatchHeader.NoTimestamp);

    /// <summary>Zero where nothing is unread; null where the time cannot be known now.</summary>
    /// <param name="offset">Where the reader goes on; what lies below the log's start is gone and does not count.</param>
    public async Task<TimeSpan?> AgeAsync(OpenLog log, TailView? tail, long offset, long nowMs, CancellationToken cancellation)
    {
        var (first, end) = (Math.Max(offset, log.Offsets.LogStartOffset), log.Offsets.HighWatermark);
        if (first >= end)
            return TimeSpan.Zero;
        if (_last.Offset != first)
        {
            if (await FindAsync(log, tail, first, end, cancellation) is not { } batch)
                return null;
            var found = await TimeOfAsync(batch, first);
            _last = (first, found);
            return AgeOf(found, nowMs);
        }

        return AgeOf(_last.Timestamp, nowMs);
    }

    private static TimeSpan? AgeOf(long timestamp, long nowMs) => timestamp < 0 ? null : TimeSpan.FromMilliseconds(Math.Max(0, nowMs - timestamp));

    private async Task<ReadOnlyMemory<byte>?> FindAsync(OpenLog log, TailView? tail, long offset, long end, CancellationToken cancellation)
    {
        var found = new List<ReadOnlyMemory<byte>>(1);
        if (tail is not null && tail.TryRead(offset, end, maxBytes: 1, strict: false, found) && found.Count > 0)
            return found[0];
        try
        {
            var batches = await store.ReadAsync(log.Owned, offset, end, maxBytes: 1, cancellation);
            return batches.Count > 0 ? batches[0].Bytes : null;
        }
        catch (Exception failure) when (LogReads.IsPassing(failure))
        {
            return null;
        }
    }

    private static ValueTask<long> TimeOfAsync(ReadOnlyMemory<byte> batch, long offset)
    {
        RecordBatchHeader.TryRead(batch.Span, out var header);
        if (header.TimestampType == TimestampType.LogAppendTime)
            return ValueTask.FromResult(header.MaxTimestamp);
        if (offset <= header.BaseOffset || header.BaseTimestamp == header.MaxTimestamp)
            return ValueTask.FromResult(header.BaseTimestamp);

        // Away from the partition's own thread: a batch may take a while to decompress.
        return new ValueTask<long>(Task.Run(() => Decode(batch, offset)));
    }

    private static long Decode(ReadOnlyMemory<byte> batch, long offset)
    {
        try
        {
            var reader = new RecordBatchReader(batch);
            while (reader.TryRead(out var record))
            {
                if (record.Offset >= offset)
                    return record.Timestamp;
            }

            return RecordBatchHeader.NoTimestamp;
        }
        catch (InvalidRecordBatchException)
        {
            // Its bytes are the producer's; a log never looks into them. Whoever reads it is told.
            return RecordBatchHeader.NoTimestamp;
        }
    }
}

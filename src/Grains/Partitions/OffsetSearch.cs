using Granary.Abstractions.Records;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>A record's offset and time; (-1, -1) where there is none.</summary>
internal readonly record struct FoundRecord(long Offset, long Timestamp, int LeaderEpoch)
{
    public static FoundRecord None => new(-1, -1, -1);
}

/// <summary>
/// Finds records by their time. The store finds the batch; only that one is decoded. A batch whose records cannot be read (logs never look into
/// them) answers with its first offset: whoever starts there misses nothing.
/// </summary>
internal sealed class OffsetSearch(IPartitionStore store, PartitionDiagnostics diagnostics)
{
    /// <summary>
    /// Batches that one search decodes at most. The store goes by their headers, and a producer may have written a later time there than any of its records
    /// has: a log full of these would be decoded whole for each question. The last is then answered like one that cannot be read.
    /// </summary>
    public const int MaxDecoded = 16;

    /// <summary>The first record at or after the log start whose time is <paramref name="timestamp"/> or later.</summary>
    public async Task<FoundRecord> FirstAtOrAfterAsync(OwnedPartition owned, PartitionLog offsets, long timestamp, CancellationToken cancellation)
    {
        var endOffset = offsets.HighWatermark;
        var from = 0L;
        for (var decoded = 1; ; decoded++)
        {
            if (await store.FindByTimestampAsync(owned, timestamp, from, endOffset, cancellation) is not { } batch)
                return FoundRecord.None;
            var found = await DecodeAsync(owned, offsets, batch, timestamp);
            if (found.Offset >= 0)
                return found;

            // The log starts within the batch, and what matched lies below its start; or the header says more than is there.
            if (decoded == MaxDecoded)
                return FirstOf(batch, offsets.LogStartOffset);
            from = batch.EndOffset;
        }
    }

    /// <summary>The first record that has the log's largest time.</summary>
    public async Task<FoundRecord> FirstOfMaxAsync(OwnedPartition owned, PartitionLog offsets, CancellationToken cancellation)
    {
        var found = await store.FindMaxTimestampAsync(owned, offsets.HighWatermark, cancellation);
        return found is { } batch ? await DecodeAsync(owned, offsets, batch, batch.MaxTimestamp) : FoundRecord.None;
    }

    /// <summary>Away from the partition's own thread: a batch may take a while to decompress.</summary>
    private Task<FoundRecord> DecodeAsync(OwnedPartition owned, PartitionLog offsets, StoredBatch batch, long timestamp)
    {
        var logStart = offsets.LogStartOffset;
        return Task.Run(() =>
        {
            RecordBatchHeader.TryRead(batch.Bytes.Span, out var header);
            try
            {
                var reader = new RecordBatchReader(batch.Bytes);
                while (reader.TryRead(out var record))
                {
                    if (record.Timestamp >= timestamp && record.Offset >= logStart)
                        return new FoundRecord(record.Offset, record.Timestamp, header.PartitionLeaderEpoch);
                }

                return FoundRecord.None;
            }
            catch (InvalidRecordBatchException failure)
            {
                diagnostics.UnreadableBatch(failure, owned.Partition, batch.BaseOffset);
                return FirstOf(batch, logStart);
            }
        });
    }

    private static FoundRecord FirstOf(in StoredBatch batch, long logStart)
    {
        RecordBatchHeader.TryRead(batch.Bytes.Span, out var header);
        return new FoundRecord(Math.Max(batch.BaseOffset, logStart), batch.MaxTimestamp, header.PartitionLeaderEpoch);
    }
}

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
    private const int ScanBytes = 1 << 20;

    /// <summary>The first record at or after the log start whose time is <paramref name="timestamp"/> or later.</summary>
    public async Task<FoundRecord> FirstAtOrAfterAsync(OpenLog log, long timestamp, CancellationToken cancellation)
    {
        var endOffset = log.Offsets.HighWatermark;
        if (await store.FindByTimestampAsync(log.Owned, timestamp, endOffset, cancellation) is not { } batch)
            return FoundRecord.None;
        while (true)
        {
            var found = await DecodeAsync(log, batch, timestamp);
            if (found.Offset >= 0)
                return found;

            // The log starts within the batch, and what matched lies below its start.
            if (await NextAtOrAfterAsync(log, batch.EndOffset, endOffset, timestamp, cancellation) is not { } next)
                return FoundRecord.None;
            batch = next;
        }
    }

    /// <summary>The first record that has the log's largest time.</summary>
    public async Task<FoundRecord> FirstOfMaxAsync(OpenLog log, CancellationToken cancellation)
    {
        var found = await store.FindMaxTimestampAsync(log.Owned, log.Offsets.HighWatermark, cancellation);
        return found is { } batch ? await DecodeAsync(log, batch, batch.MaxTimestamp) : FoundRecord.None;
    }

    private async Task<StoredBatch?> NextAtOrAfterAsync(OpenLog log, long fromOffset, long endOffset, long timestamp, CancellationToken cancellation)
    {
        while (fromOffset < endOffset)
        {
            var batches = await store.ReadAsync(log.Owned, fromOffset, endOffset, ScanBytes, cancellation);
            foreach (var batch in batches)
            {
                if (batch.MaxTimestamp >= timestamp)
                    return batch;
            }

            if (batches.Count == 0)
                return null;
            fromOffset = batches[^1].EndOffset;
        }

        return null;
    }

    /// <summary>Away from the partition's own thread: a batch may take a while to decompress.</summary>
    private Task<FoundRecord> DecodeAsync(OpenLog log, StoredBatch batch, long timestamp)
    {
        var logStart = log.Offsets.LogStartOffset;
        var partition = log.Owned.Partition;
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
                diagnostics.UnreadableBatch(failure, partition, batch.BaseOffset);
                return new FoundRecord(Math.Max(batch.BaseOffset, logStart), batch.MaxTimestamp, header.PartitionLeaderEpoch);
            }
        });
    }
}

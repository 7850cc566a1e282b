using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>Takes a read-ahead apart, record by record.</summary>
internal static class ReadAheadRecords
{
    /// <summary>The records of one read-ahead; fewer where the reader is stopped meanwhile. Throws what ended the reader.</summary>
    public static IEnumerable<ConsumedRecord> Of(ReadAhead ready, LogConsumerOptions options)
    {
        var reader = ready.Reader;
        if (reader.IsStopped)
            yield break;
        if (ready.Error is not null)
            throw ready.Error;
        var rest = ready.Batches;
        while (RecordBatchReader.TryTakeBatch(ref rest, out var bytes))
        {
            var batch = Open(ready, bytes, options);
            while (!batch.Header.IsControl && TryRead(reader, batch, out var record))
            {
                var consumed = new ConsumedRecord(reader.Partition, record, batch.Header.PartitionLeaderEpoch);
                reader.MoveTo(LogPosition.After(consumed));
                yield return consumed;
                if (reader.IsStopped)
                    yield break;
            }

            reader.MoveTo(LogPosition.At(batch.Header.EndOffset, batch.Header.PartitionLeaderEpoch));
        }

        reader.MakeRoom();
    }

    private static OpenBatch Open(ReadAhead ready, ReadOnlyMemory<byte> batch, LogConsumerOptions options)
    {
        try
        {
            return new OpenBatch(batch, ready.FromOffset, options.Records, options.PrefetchBytes);
        }
        catch (InvalidRecordBatchException broken)
        {
            throw Broken(ready.Reader, broken);
        }
    }

    private static bool TryRead(PartitionReader reader, OpenBatch batch, out Record record)
    {
        try
        {
            return batch.TryRead(out record);
        }
        catch (InvalidRecordBatchException broken)
        {
            throw Broken(reader, broken);
        }
    }

    /// <summary>Stops the reader too: going on behind the broken batch would leave it out in silence.</summary>
    private static LogException Broken(PartitionReader reader, InvalidRecordBatchException broken)
    {
        reader.Stop();
        return new LogException(ErrorCode.CorruptMessage, $"{reader.Partition}: {broken.Message}", broken);
    }
}

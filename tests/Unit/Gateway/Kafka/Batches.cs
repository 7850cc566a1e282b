using Granary.Abstractions.Records;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>Batches that pass every check of header and CRC; their records are noise.</summary>
internal static class Batches
{
    public static byte[] Make(int records = 1, int recordsBytes = 100, short attributes = 0, long producerId = -1, int sequence = -1)
    {
        var batch = new byte[RecordBatchHeader.SizeBytes + recordsBytes];
        Random.Shared.NextBytes(batch.AsSpan(RecordBatchHeader.SizeBytes));
        new RecordBatchHeader
        {
            BatchLength = batch.Length - RecordBatchHeader.LengthPrefixBytes,
            Magic = RecordBatchHeader.CurrentMagic,
            Attributes = attributes,
            LastOffsetDelta = records - 1,
            BaseTimestamp = 1_000,
            MaxTimestamp = 1_000,
            ProducerId = producerId,
            ProducerEpoch = (short)(producerId < 0 ? -1 : 0),
            BaseSequence = sequence,
            RecordCount = records,
        }.WriteTo(batch);
        var crc = RecordBatchHeader.ComputeCrc(batch);
        RecordBatchHeader.TryRead(batch, out var header);
        (header with { Crc = crc }).WriteTo(batch);
        return batch;
    }
}

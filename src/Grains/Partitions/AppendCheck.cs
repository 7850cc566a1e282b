using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;

namespace Granary.Grains.Partitions;

/// <summary>What a batch must be for its topic to take it, as far as its header tells; codes as Kafka's LogValidator and UnifiedLog give them.</summary>
internal static class AppendCheck
{
    /// <summary>Null where nothing is wrong. <paramref name="length"/>: bytes that were handed over; <paramref name="now"/>: ms since 1970.</summary>
    public static (ErrorCode Error, string Message)? Refuse(in RecordBatchHeader batch, int length, TopicSettings settings, long now)
    {
        // Callers check batches when they take them from outside. What offsets and limits rest on is asked again: it costs nothing.
        if (batch.Magic != RecordBatchHeader.CurrentMagic || batch.TotalBytes != length)
            return (ErrorCode.CorruptMessage, $"magic {batch.Magic} and batch length {batch.BatchLength} do not make one batch of {length} bytes");
        if (batch.RecordCount < 1 || batch.LastOffsetDelta != batch.RecordCount - 1)
            return (ErrorCode.InvalidRecord, $"{batch.RecordCount} records contradict the last offset delta {batch.LastOffsetDelta}");
        if (length > settings.MaxMessageBytes)
            return (ErrorCode.MessageTooLarge, $"the batch has {length} bytes, the topic takes {settings.MaxMessageBytes} (max.message.bytes)");
        if (batch.IsControl)
            return (ErrorCode.InvalidRecord, "the batch is a control batch: only the log itself writes those");
        if (batch.IsTransactional)
            return (ErrorCode.InvalidTxnState, $"producer {batch.ProducerId} has no transaction open in this partition");
        if (batch.HasProducerId && (batch.ProducerEpoch < 0 || batch.BaseSequence < 0))
            return (ErrorCode.InvalidRecord, $"producer {batch.ProducerId} has epoch {batch.ProducerEpoch} and sequence {batch.BaseSequence}: 0 or more are wanted");
        if (batch.TimestampType == TimestampType.LogAppendTime)
            return (ErrorCode.InvalidTimestamp, "the batch says that its times are append times: only the log stamps those");
        return settings.TimestampBoundsAt(now) is { } bounds && RecordBatchCheck.CheckTimestamps(batch, bounds) is { } verdict
            ? (verdict.Error, verdict.Message!)
            : null;
    }
}

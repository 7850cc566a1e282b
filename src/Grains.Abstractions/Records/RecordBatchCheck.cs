namespace Granary.Abstractions.Records;

/// <param name="Error">None, or why the batch is refused.</param>
/// <param name="Message">The field, its value and what was wanted; null where nothing is wrong.</param>
/// <param name="Header">The batch's header; default with an error.</param>
public readonly record struct RecordBatchVerdict(ErrorCode Error, string? Message, RecordBatchHeader Header)
{
    public bool IsAccepted => Error == ErrorCode.None;
}

/// <summary>
/// What a producer's batch must be before a log takes it, as far as its header and CRC can tell: records are never looked into.
/// Codes as Kafka's LogValidator and UnifiedLog give them, but magic 0 and 1, which it would convert.
/// </summary>
public static class RecordBatchCheck
{
    /// <summary>Checks that <paramref name="batch"/> is exactly one whole batch that a client may append. Reads each byte once, for the CRC.</summary>
    public static RecordBatchVerdict Check(ReadOnlySpan<byte> batch)
    {
        // The magic lies in the same place in all formats, so an old message set gets its own answer.
        if (batch.Length <= RecordBatchHeader.MagicAt)
            return Truncated(batch.Length);
        var magic = (sbyte)batch[RecordBatchHeader.MagicAt];
        if (magic is 0 or 1)
            return Refuse(ErrorCode.UnsupportedForMessageFormat, $"magic is {magic}: only record batches of magic 2 are taken");
        if (magic != RecordBatchHeader.CurrentMagic)
            return Refuse(ErrorCode.CorruptMessage, $"magic is {magic}, where 2 was expected");
        if (!RecordBatchHeader.TryRead(batch, out var header))
            return Truncated(batch.Length);

        if (CheckLength(header, batch.Length) is { } wrongLength)
            return wrongLength;
        var crc = RecordBatchHeader.ComputeCrc(batch);
        if (crc != header.Crc)
            return Refuse(ErrorCode.CorruptMessage, $"CRC-32C of the batch is {crc:x8}, but it carries {header.Crc:x8}");
        return CheckFields(header) ?? new RecordBatchVerdict(ErrorCode.None, null, header);
    }

    /// <summary>
    /// Checks a batch's times against message.timestamp.before.max.ms and after.max.ms, both ends inclusive; null where nothing is wrong.
    /// Only for topics that keep the creator's time. A batch without times (-1) passes.
    /// </summary>
    public static RecordBatchVerdict? CheckTimestamps(in RecordBatchHeader header, in TimestampBounds bounds) =>
        CheckLatest("max timestamp", header.MaxTimestamp, bounds) ?? CheckEarliest("base timestamp", header.BaseTimestamp, bounds);

    /// <summary>The same for one record, which can so be refused before it is in a batch with others.</summary>
    public static RecordBatchVerdict? CheckTimestamp(long timestamp, in TimestampBounds bounds) =>
        CheckLatest("timestamp", timestamp, bounds) ?? CheckEarliest("timestamp", timestamp, bounds);

    private static RecordBatchVerdict? CheckLatest(string what, long timestamp, in TimestampBounds bounds)
    {
        // Subtracted on the side where hostile values cannot overflow.
        if (timestamp <= 0 || timestamp - bounds.AfterMaxMs <= bounds.Now)
            return null;
        return Refuse(
            ErrorCode.InvalidTimestamp,
            $"{what} {timestamp} lies more than {bounds.AfterMaxMs} ms (message.timestamp.after.max.ms) after {bounds.Now}");
    }

    private static RecordBatchVerdict? CheckEarliest(string what, long timestamp, in TimestampBounds bounds)
    {
        if (timestamp == RecordBatchHeader.NoTimestamp || timestamp >= bounds.Now - bounds.BeforeMaxMs)
            return null;
        return Refuse(
            ErrorCode.InvalidTimestamp,
            $"{what} {timestamp} lies more than {bounds.BeforeMaxMs} ms (message.timestamp.before.max.ms) before {bounds.Now}");
    }

    private static RecordBatchVerdict? CheckLength(in RecordBatchHeader header, int length)
    {
        var smallest = RecordBatchHeader.SizeBytes - RecordBatchHeader.LengthPrefixBytes;
        if (header.BatchLength < smallest)
            return Refuse(ErrorCode.CorruptMessage, $"batch length is {header.BatchLength}, less than the {smallest} of a header");
        if (header.TotalBytes > length)
            return Refuse(ErrorCode.CorruptMessage, $"batch length is {header.BatchLength}, but only {length - RecordBatchHeader.LengthPrefixBytes} bytes follow it");
        if (header.TotalBytes < length)
            return Refuse(ErrorCode.InvalidRecord, $"{length - header.TotalBytes} bytes follow the batch of {header.TotalBytes}: one batch per partition is taken");
        return null;
    }

    private static RecordBatchVerdict? CheckFields(in RecordBatchHeader header)
    {
        if (header.Compression > CompressionCodec.Zstd)
            return Refuse(ErrorCode.UnsupportedCompressionType, $"compression codec is {(int)header.Compression}, the last known is 4 (zstd)");
        if (header.IsControl)
            return Refuse(ErrorCode.InvalidRecord, "the batch is a control batch: only the log itself writes those");
        if (header.BaseOffset != 0)
            return Refuse(ErrorCode.InvalidRecord, $"base offset is {header.BaseOffset}, where a producer sends 0");
        if (header.RecordCount <= 0)
            return Refuse(ErrorCode.InvalidRecord, $"record count is {header.RecordCount}: a batch holds 1 or more");
        if (header.LastOffsetDelta != header.RecordCount - 1)
            return Refuse(ErrorCode.InvalidRecord, $"last offset delta is {header.LastOffsetDelta}, but {header.RecordCount} records make it {header.RecordCount - 1}");
        return CheckProducer(header);
    }

    private static RecordBatchVerdict? CheckProducer(in RecordBatchHeader header)
    {
        if (!header.HasProducerId)
        {
            return header.IsTransactional
                ? Refuse(ErrorCode.InvalidRecord, $"the batch is transactional, but its producer id is {header.ProducerId}")
                : null;
        }

        if (header.ProducerEpoch < 0)
            return Refuse(ErrorCode.InvalidRecord, $"producer epoch is {header.ProducerEpoch} with producer id {header.ProducerId}: 0 or more is wanted");
        if (header.BaseSequence < 0)
            return Refuse(ErrorCode.InvalidRecord, $"base sequence is {header.BaseSequence} with producer id {header.ProducerId}: 0 or more is wanted");
        return null;
    }

    private static RecordBatchVerdict Truncated(int length) =>
        Refuse(ErrorCode.CorruptMessage, $"the batch has {length} bytes, fewer than the {RecordBatchHeader.SizeBytes} of a header");

    private static RecordBatchVerdict Refuse(ErrorCode error, string message) => new(error, message, default);
}

/// <summary>All in milliseconds; <see cref="Now"/> since 1970.</summary>
public readonly record struct TimestampBounds
{
    public required long Now { get; init; }

    /// <summary>message.timestamp.before.max.ms, inclusive.</summary>
    public required long BeforeMaxMs { get; init; }

    /// <summary>message.timestamp.after.max.ms, inclusive.</summary>
    public required long AfterMaxMs { get; init; }
}

using System.Buffers.Binary;
using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Records;

/// <summary>
/// The 61 bytes that open a record batch of magic 2, read once, and the few places of them that a log may stamp. Base offset and
/// partition leader epoch lie outside the CRC; everything from the attributes on lies within it.
/// Source: Kafka's documentation, "Record Batch" (KIP-98).
/// </summary>
public readonly record struct RecordBatchHeader
{
    /// <summary>Bytes of the header.</summary>
    public const int SizeBytes = 61;

    /// <summary>Bytes before what <see cref="BatchLength"/> counts: base offset and the length itself.</summary>
    public const int LengthPrefixBytes = 12;

    /// <summary>The only magic that is taken and written.</summary>
    public const sbyte CurrentMagic = 2;

    public const long NoProducerId = -1;
    public const short NoProducerEpoch = -1;
    public const int NoSequence = -1;
    public const long NoTimestamp = -1;

    internal const int BatchLengthAt = 8;
    internal const int LeaderEpochAt = 12;
    internal const int MagicAt = 16;
    internal const int CrcAt = 17;
    internal const int AttributesAt = 21;
    internal const int LastOffsetDeltaAt = 23;
    internal const int BaseTimestampAt = 27;
    internal const int MaxTimestampAt = 35;
    internal const int ProducerIdAt = 43;
    internal const int ProducerEpochAt = 51;
    internal const int BaseSequenceAt = 53;
    internal const int RecordCountAt = 57;

    internal const short CompressionMask = 0x07;
    internal const short LogAppendTimeBit = 0x08;
    internal const short TransactionalBit = 0x10;
    internal const short ControlBit = 0x20;
    internal const short DeleteHorizonBit = 0x40;

    /// <summary>Offset of the first record (inclusive).</summary>
    public long BaseOffset { get; init; }

    /// <summary>Bytes after this field, as the batch says: the whole batch is <see cref="TotalBytes"/>.</summary>
    public int BatchLength { get; init; }

    public int PartitionLeaderEpoch { get; init; }

    public sbyte Magic { get; init; }

    /// <summary>CRC-32C of everything from the attributes to the end, as the batch says.</summary>
    public uint Crc { get; init; }

    public short Attributes { get; init; }

    /// <summary>Last record's offset less the first one's.</summary>
    public int LastOffsetDelta { get; init; }

    /// <summary>What records' timestamps are relative to; milliseconds since 1970, or -1.</summary>
    public long BaseTimestamp { get; init; }

    /// <summary>The newest record's timestamp, or the append time where <see cref="TimestampType"/> says so; ms since 1970, or -1.</summary>
    public long MaxTimestamp { get; init; }

    /// <summary>-1: not idempotent.</summary>
    public long ProducerId { get; init; }

    public short ProducerEpoch { get; init; }

    /// <summary>The first record's sequence; -1: not idempotent.</summary>
    public int BaseSequence { get; init; }

    public int RecordCount { get; init; }

    /// <summary>The codec; may be a value that no codec has.</summary>
    public CompressionCodec Compression => (CompressionCodec)(Attributes & CompressionMask);

    public TimestampType TimestampType => (Attributes & LogAppendTimeBit) == 0 ? TimestampType.CreateTime : TimestampType.LogAppendTime;

    public bool IsTransactional => (Attributes & TransactionalBit) != 0;

    /// <summary>True for a transaction's commit or abort marker.</summary>
    public bool IsControl => (Attributes & ControlBit) != 0;

    /// <summary>True: <see cref="BaseTimestamp"/> is the compaction's delete horizon (KIP-534).</summary>
    public bool HasDeleteHorizon => (Attributes & DeleteHorizonBit) != 0;

    public bool HasProducerId => ProducerId > NoProducerId;

    /// <summary>Offset of the last record (inclusive).</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>The offset after the last record (exclusive).</summary>
    public long EndOffset => LastOffset + 1;

    /// <summary>Sequence of the last record; sequences start again at 0 after <see cref="int.MaxValue"/>. -1 without a producer id.</summary>
    public int LastSequence => HasProducerId ? IncrementSequence(BaseSequence, LastOffsetDelta) : NoSequence;

    /// <summary>Bytes of the whole batch, header included, as the batch says.</summary>
    public long TotalBytes => LengthPrefixBytes + (long)BatchLength;

    /// <summary>The sequence that lies <paramref name="by"/> records (0 or more) after <paramref name="sequence"/>.</summary>
    public static int IncrementSequence(int sequence, int by) => (int)(((long)sequence + by) & int.MaxValue);

    /// <summary>Reads the header of the batch that <paramref name="batch"/> starts with; false where fewer than 61 bytes are there. Checks nothing.</summary>
    public static bool TryRead(ReadOnlySpan<byte> batch, out RecordBatchHeader header)
    {
        if (batch.Length < SizeBytes)
        {
            header = default;
            return false;
        }

        header = new RecordBatchHeader
        {
            BaseOffset = BinaryPrimitives.ReadInt64BigEndian(batch),
            BatchLength = BinaryPrimitives.ReadInt32BigEndian(batch[BatchLengthAt..]),
            PartitionLeaderEpoch = BinaryPrimitives.ReadInt32BigEndian(batch[LeaderEpochAt..]),
            Magic = (sbyte)batch[MagicAt],
            Crc = BinaryPrimitives.ReadUInt32BigEndian(batch[CrcAt..]),
            Attributes = BinaryPrimitives.ReadInt16BigEndian(batch[AttributesAt..]),
            LastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(batch[LastOffsetDeltaAt..]),
            BaseTimestamp = BinaryPrimitives.ReadInt64BigEndian(batch[BaseTimestampAt..]),
            MaxTimestamp = BinaryPrimitives.ReadInt64BigEndian(batch[MaxTimestampAt..]),
            ProducerId = BinaryPrimitives.ReadInt64BigEndian(batch[ProducerIdAt..]),
            ProducerEpoch = BinaryPrimitives.ReadInt16BigEndian(batch[ProducerEpochAt..]),
            BaseSequence = BinaryPrimitives.ReadInt32BigEndian(batch[BaseSequenceAt..]),
            RecordCount = BinaryPrimitives.ReadInt32BigEndian(batch[RecordCountAt..]),
        };
        return true;
    }

    /// <summary>Writes all 61 bytes, the CRC as this header carries it.</summary>
    public void WriteTo(Span<byte> batch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[BatchLengthAt..], BatchLength);
        BinaryPrimitives.WriteInt32BigEndian(batch[LeaderEpochAt..], PartitionLeaderEpoch);
        batch[MagicAt] = (byte)Magic;
        BinaryPrimitives.WriteUInt32BigEndian(batch[CrcAt..], Crc);
        BinaryPrimitives.WriteInt16BigEndian(batch[AttributesAt..], Attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch[LastOffsetDeltaAt..], LastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(batch[BaseTimestampAt..], BaseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[MaxTimestampAt..], MaxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(batch[ProducerIdAt..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[ProducerEpochAt..], ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[BaseSequenceAt..], BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordCountAt..], RecordCount);
    }

    /// <summary>Stamps the first record's offset into a whole batch; the CRC stays right.</summary>
    public static void StampBaseOffset(Span<byte> batch, long baseOffset) => BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);

    /// <summary>Stamps the leader epoch into a whole batch; the CRC stays right.</summary>
    public static void StampLeaderEpoch(Span<byte> batch, int leaderEpoch) =>
        BinaryPrimitives.WriteInt32BigEndian(batch[LeaderEpochAt..], leaderEpoch);

    /// <summary>
    /// Makes <paramref name="appendTime"/> (ms since 1970) the time of all records of a whole batch: sets the attribute and the max
    /// timestamp, and computes the CRC of <paramref name="batch"/> anew, so it must hold this one batch and nothing after it.
    /// </summary>
    public static void StampLogAppendTime(Span<byte> batch, long appendTime)
    {
        var attributes = BinaryPrimitives.ReadInt16BigEndian(batch[AttributesAt..]);
        BinaryPrimitives.WriteInt16BigEndian(batch[AttributesAt..], (short)(attributes | LogAppendTimeBit));
        BinaryPrimitives.WriteInt64BigEndian(batch[MaxTimestampAt..], appendTime);
        StampCrc(batch);
    }

    /// <summary>Stamps the producer into a whole batch and computes its CRC anew; <paramref name="batch"/> holds this one batch and nothing after it.</summary>
    public static void StampProducer(Span<byte> batch, in ProducerStamp producer)
    {
        var attributes = BinaryPrimitives.ReadInt16BigEndian(batch[AttributesAt..]) & ~TransactionalBit;
        BinaryPrimitives.WriteInt16BigEndian(batch[AttributesAt..], (short)(attributes | (producer.IsTransactional ? TransactionalBit : 0)));
        BinaryPrimitives.WriteInt64BigEndian(batch[ProducerIdAt..], producer.ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[ProducerEpochAt..], producer.ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[BaseSequenceAt..], producer.BaseSequence);
        StampCrc(batch);
    }

    /// <summary>The CRC-32C that a whole batch ought to carry.</summary>
    public static uint ComputeCrc(ReadOnlySpan<byte> batch) => Crc32C.Compute(batch[AttributesAt..]);

    /// <summary>Computes the CRC of a whole batch and writes it in its place.</summary>
    internal static void StampCrc(Span<byte> batch) => BinaryPrimitives.WriteUInt32BigEndian(batch[CrcAt..], ComputeCrc(batch));
}

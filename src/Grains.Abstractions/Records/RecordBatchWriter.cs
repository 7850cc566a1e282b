using System.Buffers;
using System.Text;

namespace Granary.Abstractions.Records;

/// <summary>
/// Builds one record batch of magic 2: append records, then <see cref="Build()"/>. Offsets are deltas from 0, for the log to stamp.
/// Not safe for several threads.
/// </summary>
public sealed class RecordBatchWriter
{
    private readonly CompressionCodec _codec;
    private readonly BoundedBuffer _batch;
    private long _baseTimestamp;
    private long _maxTimestamp = RecordBatchHeader.NoTimestamp;

    /// <param name="codec">How the records are compressed, all together, by <see cref="Build()"/>.</param>
    /// <param name="expectedBytes">How much memory to take at first; it grows where that is too little.</param>
    public RecordBatchWriter(CompressionCodec codec = CompressionCodec.None, int expectedBytes = 1024)
    {
        if (codec > CompressionCodec.Zstd)
            throw new ArgumentOutOfRangeException(nameof(codec), codec, "no such codec");
        _codec = codec;
        _batch = new BoundedBuffer(expectedBytes, Array.MaxLength);
        _batch.GetSpan(RecordBatchHeader.SizeBytes);
        _batch.Advance(RecordBatchHeader.SizeBytes);
    }

    /// <summary>Records so far.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the batch so far, header included, before compression.</summary>
    public int UncompressedBytes => _batch.Count;

    /// <summary>The most bytes that a record of this content can add, before compression.</summary>
    public static int MaxSizeOf(ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte>? value, IReadOnlyList<RecordHeader>? headers)
    {
        const int MaxLengthBytes = 5;
        const int MaxTimestampBytes = 10;
        long size = (5 * MaxLengthBytes) + 1 + MaxTimestampBytes + (key?.Length ?? 0L) + (value?.Length ?? 0L);
        for (var i = 0; i < (headers?.Count ?? 0); i++)
            size += (2L * MaxLengthBytes) + Encoding.UTF8.GetMaxByteCount(headers![i].Key.Length) + (headers[i].Value?.Length ?? 0L);
        return size <= Array.MaxLength ? (int)size : throw new ArgumentException($"a record of {size} bytes is beyond any limit", nameof(value));
    }

    /// <summary>Appends a record. <paramref name="timestamp"/>: milliseconds since 1970; the first record's is what the others' are relative to.</summary>
    public void Append(
        long timestamp,
        ReadOnlyMemory<byte>? key,
        ReadOnlyMemory<byte>? value,
        IReadOnlyList<RecordHeader>? headers = null)
    {
        if (Count == 0)
            _baseTimestamp = timestamp;
        var timestampDelta = timestamp - _baseTimestamp;
        var bodyBytes = BodySize(timestampDelta, key, value, headers);
        var room = _batch.GetSpan(Varint.SizeOf(bodyBytes) + bodyBytes);
        var at = Varint.Write(room, bodyBytes);
        room[at++] = 0;
        at += Varint.Write(room[at..], timestampDelta);
        at += Varint.Write(room[at..], Count);
        at += WriteBytes(room[at..], key);
        at += WriteBytes(room[at..], value);
        at += Varint.Write(room[at..], headers?.Count ?? 0);
        for (var i = 0; i < (headers?.Count ?? 0); i++)
        {
            var name = headers![i].Key;
            at += Varint.Write(room[at..], Encoding.UTF8.GetByteCount(name));
            at += Encoding.UTF8.GetBytes(name, room[at..]);
            at += WriteBytes(room[at..], headers[i].Value);
        }

        _batch.Advance(at);
        _maxTimestamp = Count == 0 ? timestamp : Math.Max(_maxTimestamp, timestamp);
        Count++;
    }

    /// <summary>The batch as a new array, with its CRC. Throws <see cref="InvalidOperationException"/> where it has no record.</summary>
    public byte[] Build(in ProducerStamp producer)
    {
        if (Count == 0)
            throw new InvalidOperationException("a record batch holds at least one record");
        var batch = Compress();
        var header = new RecordBatchHeader
        {
            BatchLength = batch.Length - RecordBatchHeader.LengthPrefixBytes,
            PartitionLeaderEpoch = -1,
            Magic = RecordBatchHeader.CurrentMagic,
            Attributes = (short)((int)_codec | (producer.IsTransactional ? RecordBatchHeader.TransactionalBit : 0)),
            LastOffsetDelta = Count - 1,
            BaseTimestamp = _baseTimestamp,
            MaxTimestamp = _maxTimestamp,
            ProducerId = producer.ProducerId,
            ProducerEpoch = producer.ProducerEpoch,
            BaseSequence = producer.BaseSequence,
            RecordCount = Count,
        };
        header.WriteTo(batch);
        RecordBatchHeader.StampCrc(batch);
        return batch;
    }

    /// <summary>The batch of no idempotent producer.</summary>
    public byte[] Build() => Build(ProducerStamp.None);

    private byte[] Compress()
    {
        if (_codec == CompressionCodec.None)
            return _batch.WrittenSpan.ToArray();
        var compressed = new BoundedBuffer(_batch.Count, Array.MaxLength);
        compressed.GetSpan(RecordBatchHeader.SizeBytes);
        compressed.Advance(RecordBatchHeader.SizeBytes);
        RecordCompression.Compress(_codec, _batch.WrittenSpan[RecordBatchHeader.SizeBytes..], compressed);
        return compressed.WrittenSpan.ToArray();
    }

    private int BodySize(long timestampDelta, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte>? value, IReadOnlyList<RecordHeader>? headers)
    {
        long size = 1 + Varint.SizeOf(timestampDelta) + Varint.SizeOf(Count) + SizeOf(key) + SizeOf(value) + Varint.SizeOf(headers?.Count ?? 0);
        for (var i = 0; i < (headers?.Count ?? 0); i++)
        {
            var nameBytes = Encoding.UTF8.GetByteCount(headers![i].Key);
            size += Varint.SizeOf(nameBytes) + nameBytes + SizeOf(headers[i].Value);
        }

        return checked((int)size);
    }

    private static long SizeOf(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Varint.SizeOf(some.Length) + (long)some.Length : 1;

    private static int WriteBytes(Span<byte> room, ReadOnlyMemory<byte>? bytes)
    {
        if (bytes is not { } some)
            return Varint.Write(room, -1);
        var at = Varint.Write(room, some.Length);
        some.Span.CopyTo(room[at..]);
        return at + some.Length;
    }
}

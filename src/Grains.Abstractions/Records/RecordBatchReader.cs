using System.Runtime.InteropServices;
using System.Text;
using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Records;

/// <summary>
/// Reads the records of one batch of magic 2, one after another, decompressing them first where need be. Keys and values are slices of
/// the batch (or of its decompressed copy), not copies. Whatever is malformed throws <see cref="InvalidRecordBatchException"/>.
/// Source: Kafka's documentation, "Record Batch" and "Record".
/// </summary>
public sealed class RecordBatchReader
{
    /// <summary>A record of nothing: length, attributes, two deltas, null key, null value, no headers, a byte each.</summary>
    private const int SmallestRecordBytes = 7;

    private readonly RecordReadOptions _options;
    private readonly int _recordsBytes;
    private ReadOnlyMemory<byte> _rest;
    private int _left;
    private int _lastOffsetDelta = -1;

    /// <summary>Opens the batch that <paramref name="batch"/> starts with; bytes after it are not looked at.</summary>
    public RecordBatchReader(ReadOnlyMemory<byte> batch, RecordReadOptions? options = null)
    {
        _options = options ?? RecordReadOptions.Default;
        Header = ReadHeader(batch.Span, out var length);
        batch = batch[..length];
        if (_options.CheckCrc && RecordBatchHeader.ComputeCrc(batch.Span) is var crc && crc != Header.Crc)
            throw new InvalidRecordBatchException($"CRC-32C of the batch at offset {Header.BaseOffset} is {crc:x8}, but it carries {Header.Crc:x8}");
        if (Header.RecordCount < 0)
            throw new InvalidRecordBatchException($"record count is {Header.RecordCount} in the batch at offset {Header.BaseOffset}");
        _rest = RecordCompression.Decompress(Header.Compression, batch[RecordBatchHeader.SizeBytes..], _options.MaxDecompressedBytes);
        _recordsBytes = _rest.Length;
        if (Header.Compression != CompressionCodec.None && MemoryMarshal.TryGetArray(_rest, out var array))
            DecompressedBytes = array.Array!.Length;
        _left = Header.RecordCount;
        if ((long)_left * SmallestRecordBytes > _rest.Length)
            throw new InvalidRecordBatchException($"record count is {_left}, but the records have only {_rest.Length} bytes");
    }

    public RecordBatchHeader Header { get; }

    /// <summary>Bytes of the decompressed copy, which this and every record that was read keep in memory; 0 where the batch is not compressed.</summary>
    public int DecompressedBytes { get; }

    /// <summary>How far it has read; another reader of the same batch can go on there.</summary>
    internal RecordPlace Place
    {
        get => new(_recordsBytes - _rest.Length, _left, _lastOffsetDelta);
        set => (_rest, _left, _lastOffsetDelta) = (_rest[(value.BytesRead - _recordsBytes + _rest.Length)..], value.RecordsLeft, value.LastOffsetDelta);
    }

    /// <summary>
    /// Takes the first batch off <paramref name="batches"/>; false where nothing is left. The bytes must be whole batches:
    /// a truncated one throws.
    /// </summary>
    public static bool TryTakeBatch(ref ReadOnlyMemory<byte> batches, out ReadOnlyMemory<byte> batch)
    {
        if (batches.IsEmpty)
        {
            batch = default;
            return false;
        }

        ReadHeader(batches.Span, out var length);
        batch = batches[..length];
        batches = batches[length..];
        return true;
    }

    /// <summary>All records of batches that lie one after another; those of control batches (transaction markers) are left out.</summary>
    public static IEnumerable<Record> ReadAll(ReadOnlyMemory<byte> batches, RecordReadOptions? options = null)
    {
        while (TryTakeBatch(ref batches, out var batch))
        {
            var reader = new RecordBatchReader(batch, options);
            if (reader.Header.IsControl)
                continue;
            while (reader.TryRead(out var record))
                yield return record;
        }
    }

    /// <summary>Reads the next record; false after the last one.</summary>
    public bool TryRead(out Record record)
    {
        if (_left == 0)
        {
            record = default;
            if (!_rest.IsEmpty)
                throw new InvalidRecordBatchException($"{_rest.Length} bytes are left after all {Header.RecordCount} records were read");
            return false;
        }

        var bytes = _rest.Span;
        var length = ReadInt(ref bytes, "record length");
        if (length < 0 || length > bytes.Length)
            throw Broken($"its length is {length}, but {bytes.Length} bytes are left");
        var body = _rest.Slice(_rest.Length - bytes.Length, length);
        _rest = _rest[(_rest.Length - bytes.Length + length)..];
        record = ReadBody(body);
        _left--;
        return true;
    }

    private Record ReadBody(ReadOnlyMemory<byte> body)
    {
        var bytes = body.Span;
        if (bytes.IsEmpty)
            throw Broken("it is empty");
        bytes = bytes[1..]; // Attributes: none are defined.
        if (!Varint.TryReadLong(ref bytes, out var timestampDelta))
            throw Broken("its timestamp delta is no number");
        var offsetDelta = ReadInt(ref bytes, "offset delta");
        if (offsetDelta <= _lastOffsetDelta || offsetDelta > Header.LastOffsetDelta)
            throw Broken($"its offset delta is {offsetDelta} after {_lastOffsetDelta}, in a batch whose last is {Header.LastOffsetDelta}");
        _lastOffsetDelta = offsetDelta;
        var record = new Record
        {
            Offset = Header.BaseOffset + offsetDelta,
            Timestamp = Header.TimestampType == TimestampType.LogAppendTime ? Header.MaxTimestamp : Header.BaseTimestamp + timestampDelta,
            Key = ReadBytes(body, ref bytes, "key"),
            Value = ReadBytes(body, ref bytes, "value"),
            Headers = ReadHeaders(body, ref bytes),
        };
        return bytes.IsEmpty ? record : throw Broken($"{bytes.Length} bytes are left after its headers");
    }

    private IReadOnlyList<RecordHeader> ReadHeaders(ReadOnlyMemory<byte> body, ref ReadOnlySpan<byte> bytes)
    {
        var count = ReadInt(ref bytes, "header count");
        if (count < 0 || count > _options.MaxHeadersPerRecord || count > bytes.Length / 2)
            throw Broken($"its header count is {count}, with {bytes.Length} bytes left and {_options.MaxHeadersPerRecord} headers allowed");
        if (count == 0)
            return [];
        var headers = new RecordHeader[count];
        for (var i = 0; i < count; i++)
        {
            var key = ReadBytes(body, ref bytes, "header key") ?? throw Broken("a header has no key");
            headers[i] = new RecordHeader(Encoding.UTF8.GetString(key.Span), ReadBytes(body, ref bytes, "header value"));
        }

        return headers;
    }

    /// <summary>A length and as many bytes; -1 is null.</summary>
    private ReadOnlyMemory<byte>? ReadBytes(ReadOnlyMemory<byte> body, ref ReadOnlySpan<byte> bytes, string what)
    {
        var length = ReadInt(ref bytes, what);
        if (length == -1)
            return null;
        if (length < 0 || length > bytes.Length)
            throw Broken($"its {what} says it has {length} bytes, but {bytes.Length} are left");
        var slice = body.Slice(body.Length - bytes.Length, length);
        bytes = bytes[length..];
        return slice;
    }

    private int ReadInt(ref ReadOnlySpan<byte> bytes, string what) =>
        Varint.TryReadInt(ref bytes, out var value) ? value : throw Broken($"its {what} is no number");

    private InvalidRecordBatchException Broken(string what) =>
        new($"record {Header.RecordCount - _left} of the batch at offset {Header.BaseOffset} is broken: {what}");

    private static RecordBatchHeader ReadHeader(ReadOnlySpan<byte> batch, out int length)
    {
        if (batch.Length > RecordBatchHeader.MagicAt && batch[RecordBatchHeader.MagicAt] != RecordBatchHeader.CurrentMagic)
            throw new InvalidRecordBatchException($"magic is {(sbyte)batch[RecordBatchHeader.MagicAt]}: only record batches of magic 2 are read");
        if (!RecordBatchHeader.TryRead(batch, out var header))
            throw new InvalidRecordBatchException($"{batch.Length} bytes are fewer than the {RecordBatchHeader.SizeBytes} of a batch's header");
        if (header.TotalBytes < RecordBatchHeader.SizeBytes || header.TotalBytes > batch.Length)
            throw new InvalidRecordBatchException($"batch length is {header.BatchLength} at offset {header.BaseOffset}, but {batch.Length - RecordBatchHeader.LengthPrefixBytes} bytes follow it");
        length = (int)header.TotalBytes;
        return header;
    }
}

/// <summary>A place between two records of a batch, which keeps nothing of it.</summary>
internal readonly record struct RecordPlace(int BytesRead, int RecordsLeft, int LastOffsetDelta);

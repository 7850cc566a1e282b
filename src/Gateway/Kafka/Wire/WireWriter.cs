using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

/// <summary>
/// Writes a frame: its length (patched at the end), and what follows, into pooled chunks. Records are taken in by reference, so they must
/// not change until the frame is sent.
/// </summary>
internal sealed class WireWriter : IDisposable
{
    private const int LengthBytes = 4;
    private const int FirstChunkBytes = 1024;
    private const int ChunkBytes = 32 * 1024;

    /// <summary>Below it a copy costs less than one more piece to gather.</summary>
    private const int SmallestReferenceBytes = 1024;

    private readonly List<ArraySegment<byte>> _segments = [];
    private readonly List<byte[]> _rented = [];
    private byte[] _chunk = [];
    private int _start;
    private int _position;
    private int _sealed;

    public WireWriter() => WriteInt32(0);

    /// <summary>Bytes written, the length included.</summary>
    public int Length => _sealed + _position - _start;

    public IReadOnlyList<ArraySegment<byte>> Segments
    {
        get
        {
            Seal();
            return _segments;
        }
    }

    public void WriteInt8(sbyte value) => Reserve(1)[0] = (byte)value;

    public void WriteBoolean(bool value) => Reserve(1)[0] = value ? (byte)1 : (byte)0;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);

    public void WriteUuid(Guid value) => value.TryWriteBytes(Reserve(16), bigEndian: true, out _);

    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            Reserve(1)[0] = (byte)(value | 0x80);
            value >>= 7;
        }

        Reserve(1)[0] = (byte)value;
    }

    public void WriteString(string? value, bool isFlexible)
    {
        var length = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        if (isFlexible)
            WriteUnsignedVarint((uint)(length + 1));
        else
            WriteInt16(checked((short)length));
        if (length > 0)
            Encoding.UTF8.GetBytes(value!, Reserve(length));
    }

    public void WriteCount(int count, bool isFlexible)
    {
        if (isFlexible)
            WriteUnsignedVarint((uint)(count + 1));
        else
            WriteInt32(count);
    }

    public void WriteRecords(RecordBytes? records, bool isFlexible)
    {
        WriteCount(records?.Length ?? -1, isFlexible);
        if (records is null)
            return;
        foreach (var piece in records.Pieces)
        {
            if (piece.Length >= SmallestReferenceBytes && MemoryMarshal.TryGetArray(piece, out var segment))
            {
                Seal();
                _segments.Add(segment);
                _sealed += segment.Count;
            }
            else
            {
                piece.Span.CopyTo(Reserve(piece.Length));
            }
        }
    }

    public void WriteNoTags(bool isFlexible)
    {
        if (isFlexible)
            WriteUnsignedVarint(0);
    }

    /// <summary>A tagged field, whose bytes were written to a writer of their own.</summary>
    public void WriteTag(uint tag, WireWriter field)
    {
        WriteUnsignedVarint(tag);
        WriteUnsignedVarint((uint)(field.Length - LengthBytes));
        var skip = LengthBytes;
        foreach (var segment in field.Segments)
        {
            segment[skip..].AsSpan().CopyTo(Reserve(segment.Count - skip));
            skip = 0;
        }
    }

    /// <summary>Writes the number of bytes that follow it into the frame's first four.</summary>
    public void PatchLength()
    {
        Seal();
        BinaryPrimitives.WriteInt32BigEndian(_segments[0], Length - LengthBytes);
    }

    public void Dispose()
    {
        foreach (var chunk in _rented)
            ArrayPool<byte>.Shared.Return(chunk);
        _rented.Clear();
        _segments.Clear();
        _chunk = [];
    }

    private Span<byte> Reserve(int count)
    {
        if (_chunk.Length - _position < count)
        {
            Seal();
            _chunk = ArrayPool<byte>.Shared.Rent(Math.Max(count, _rented.Count == 0 ? FirstChunkBytes : ChunkBytes));
            _rented.Add(_chunk);
            _start = _position = 0;
        }

        var reserved = _chunk.AsSpan(_position, count);
        _position += count;
        return reserved;
    }

    private void Seal()
    {
        if (_position == _start)
            return;
        _segments.Add(new ArraySegment<byte>(_chunk, _start, _position - _start));
        _sealed += _position - _start;
        _start = _position;
    }
}

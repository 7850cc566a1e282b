using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

/// <summary>
/// Writes Kafka's types into pooled chunks. Records are taken in by reference: a frame is a list of pieces, ready to be sent in one
/// gathering write. Disposing gives the chunks back; the pieces must not be used after it.
/// </summary>
internal sealed class WireWriter : IDisposable
{
    private const int ChunkBytes = 4096;
    private const int LengthBytes = 4;

    /// <summary>UTF-8's, for each of .NET's characters.</summary>
    private const int MaxBytesPerCharacter = 3;

    /// <summary>Below it copying costs less than one more piece to pin and gather.</summary>
    private const int SmallestReferenceBytes = 512;

    private readonly List<ArraySegment<byte>> _done = [];
    private readonly List<byte[]> _rented = [];
    private readonly bool _forFrame;
    private byte[] _chunk;
    private int _from;
    private int _at;
    private int _doneBytes;

    /// <param name="forFrame">True: four bytes are kept free for the frame's length (<see cref="PatchLength"/>).</param>
    public WireWriter(bool forFrame = true)
    {
        _forFrame = forFrame;
        _chunk = Rent(ChunkBytes);
        _at = forFrame ? LengthBytes : 0;
    }

    /// <summary>Bytes written so far, the length prefix among them.</summary>
    public int Length => _doneBytes + _at - _from;

    /// <summary>What was written, in order. Valid until more is written, or this is disposed.</summary>
    public IReadOnlyList<ArraySegment<byte>> Segments
    {
        get
        {
            CloseSegment();
            return _done;
        }
    }

    /// <summary>Writes the frame's length into the place that was kept for it. Nothing may be written after.</summary>
    public void PatchLength()
    {
        if (!_forFrame)
            throw new InvalidOperationException("this writer has no place for a frame's length");
        BinaryPrimitives.WriteInt32BigEndian(_rented[0], Length - LengthBytes);
    }

    public void WriteBoolean(bool value) => Room(1)[0] = value ? (byte)1 : (byte)0;

    public void WriteInt8(sbyte value) => Room(1)[0] = (byte)value;

    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Room(2), value);

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Room(2), value);

    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Room(4), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Room(4), value);

    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Room(8), value);

    public void WriteFloat64(double value) => BinaryPrimitives.WriteDoubleBigEndian(Room(8), value);

    public void WriteUuid(Guid value) => value.TryWriteBytes(Room(16), bigEndian: true, out _);

    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            Room(1)[0] = (byte)(value | 0x80);
            value >>= 7;
        }

        Room(1)[0] = (byte)value;
    }

    public void WriteString(string value, bool compact) => WriteNullableString(value, compact);

    /// <summary>
    /// A string that is too long for the old form is cut. None that means something is: they are messages that quote what a client sent, and
    /// names that it sent in bytes that are no UTF-8, each of which has become three.
    /// </summary>
    public void WriteNullableString(string? value, bool compact)
    {
        var length = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        if (!compact && length > short.MaxValue)
        {
            value = value![..(short.MaxValue / MaxBytesPerCharacter)];
            length = Encoding.UTF8.GetByteCount(value);
        }

        if (compact)
            WriteUnsignedVarint((uint)(length + 1));
        else
            WriteInt16((short)length);
        if (length > 0)
            Encoding.UTF8.GetBytes(value, Room(length));
    }

    public void WriteBytes(ReadOnlyMemory<byte> value, bool compact) => WriteNullableBytes(value, compact);

    public void WriteNullableBytes(ReadOnlyMemory<byte>? value, bool compact)
    {
        WriteByteLength(value?.Length ?? -1, compact);
        if (value is { Length: > 0 } bytes)
            bytes.Span.CopyTo(Room(bytes.Length));
    }

    /// <summary>Takes record batches in by reference, but for small ones; null is written as such.</summary>
    public void WriteRecords(RecordBytes? value, bool compact)
    {
        WriteByteLength(value?.Length ?? -1, compact);
        if (value is null || value.IsEmpty)
            return;
        foreach (var piece in value.Pieces)
        {
            if (piece.Length < SmallestReferenceBytes)
                piece.Span.CopyTo(Room(piece.Length));
            else
                AddReference(piece);
        }
    }

    /// <summary>The number of elements that follow; -1: null.</summary>
    public void WriteCount(int count, bool compact)
    {
        if (compact)
            WriteUnsignedVarint((uint)(count + 1));
        else
            WriteInt32(count);
    }

    /// <summary>A tagged field: its tag, its size, and what another writer wrote.</summary>
    public void WriteTagged(uint tag, WireWriter content)
    {
        WriteUnsignedVarint(tag);
        WriteUnsignedVarint((uint)content.Length);
        foreach (var segment in content.Segments)
            segment.AsSpan().CopyTo(Room(segment.Count));
    }

    public void Dispose()
    {
        foreach (var chunk in _rented)
            ArrayPool<byte>.Shared.Return(chunk);
        _rented.Clear();
        _done.Clear();
        _chunk = [];
        (_from, _at, _doneBytes) = (0, 0, 0);
    }

    private void WriteByteLength(int length, bool compact)
    {
        if (compact)
            WriteUnsignedVarint((uint)(length + 1));
        else
            WriteInt32(length);
    }

    private void AddReference(ReadOnlyMemory<byte> piece)
    {
        if (!MemoryMarshal.TryGetArray(piece, out var segment))
            segment = piece.ToArray();
        CloseSegment();
        _done.Add(segment);
        _doneBytes += segment.Count;
    }

    private Span<byte> Room(int count)
    {
        if (_chunk.Length - _at < count)
        {
            CloseSegment();
            _chunk = Rent(Math.Max(count, ChunkBytes));
            (_from, _at) = (0, 0);
        }

        var room = _chunk.AsSpan(_at, count);
        _at += count;
        return room;
    }

    private void CloseSegment()
    {
        if (_at == _from)
            return;
        _done.Add(new ArraySegment<byte>(_chunk, _from, _at - _from));
        _doneBytes += _at - _from;
        _from = _at;
    }

    private byte[] Rent(int bytes)
    {
        var chunk = ArrayPool<byte>.Shared.Rent(bytes);
        _rented.Add(chunk);
        return chunk;
    }
}

using System.Buffers.Binary;
using System.Text;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

/// <summary>
/// Reads Kafka's types from one frame, front to back. Everything is checked against what is left of the frame before it is used, so a
/// frame can claim no more memory than a small multiple of its own length. Bytes and records are slices of the frame, not copies.
/// </summary>
/// <exception cref="MalformedFrameException">Thrown by every method where the frame ends too early or a length cannot be.</exception>
internal ref struct WireReader
{
    /// <summary>No list is given room for more elements than this before they were read: a struct takes more memory than its bytes on the wire.</summary>
    private const int MaxPresize = 1024;

    private readonly ReadOnlyMemory<byte> _frame;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    public WireReader(ReadOnlyMemory<byte> frame)
    {
        _frame = frame;
        _bytes = frame.Span;
    }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _bytes.Length - _at;

    public bool ReadBoolean() => Take(1)[0] != 0;

    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public double ReadFloat64() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    public Guid ReadUuid() => new(Take(16), bigEndian: true);

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public uint ReadUnsignedVarint()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var part = Take(1)[0];
            value |= (uint)(part & 0x7f) << shift;
            if (part < 0x80)
                return shift < 28 || part <= 0x0f ? value : throw new MalformedFrameException("a varint is larger than 32 bits");
        }

        throw new MalformedFrameException("a varint has more than 5 bytes");
    }

    public string ReadString(bool compact, string field) => ReadNullableString(compact, field) ?? throw MalformedFrameException.NullOf(field);

    public string? ReadNullableString(bool compact, string field)
    {
        var length = compact ? CompactLength(field) : ReadInt16();
        return length < 0 ? NullOf<string>(length, field) : Encoding.UTF8.GetString(Take(length, field));
    }

    public ReadOnlyMemory<byte> ReadBytes(bool compact, string field) => ReadNullableBytes(compact, field) ?? throw MalformedFrameException.NullOf(field);

    public ReadOnlyMemory<byte>? ReadNullableBytes(bool compact, string field)
    {
        var length = compact ? CompactLength(field) : ReadInt32();
        if (length < 0)
        {
            NullOf<string>(length, field);
            return null;
        }

        var from = _at;
        Take(length, field);
        return _frame.Slice(from, length);
    }

    /// <summary>Record batches, not looked into; null where there are none.</summary>
    public RecordBytes? ReadRecords(bool compact, string field) =>
        ReadNullableBytes(compact, field) is { } bytes ? new RecordBytes(bytes) : null;

    /// <summary>How many elements follow; -1: the array is null. Each takes a byte at the least, so no more than that many are believed.</summary>
    public int ReadCount(bool compact, string field)
    {
        var count = compact ? CompactLength(field) : ReadInt32();
        if (count < -1 || count > Remaining)
            throw new MalformedFrameException($"{field} says it has {count} elements, with {Remaining} bytes left in the frame");
        return count;
    }

    /// <summary>How much room to give a list of that many elements at first.</summary>
    public readonly int Presize(int count) => Math.Min(count, MaxPresize);

    /// <summary>Reads a tagged field's size; where the field ends, to be passed to <see cref="SkipTo"/>.</summary>
    public int ReadTaggedEnd()
    {
        var size = ReadUnsignedVarint();
        if (size > (uint)Remaining)
            throw new MalformedFrameException($"a tagged field says it has {size} bytes, with {Remaining} left in the frame");
        return _at + (int)size;
    }

    /// <summary>Goes on behind a tagged field.</summary>
    public void SkipTo(int end)
    {
        if (_at > end)
            throw new MalformedFrameException($"a tagged field is {_at - end} bytes longer than it says");
        _at = end;
    }

    /// <summary>Passes over tagged fields, whatever they are.</summary>
    public void SkipTagged()
    {
        for (var left = ReadUnsignedVarint(); left > 0; left--)
        {
            ReadUnsignedVarint();
            SkipTo(ReadTaggedEnd());
        }
    }

    private static T? NullOf<T>(int length, string field)
        where T : class => length == -1 ? null : throw new MalformedFrameException($"the length of {field} is {length}");

    private int CompactLength(string field)
    {
        var length = ReadUnsignedVarint();
        return length <= int.MaxValue ? (int)length - 1 : throw new MalformedFrameException($"the length of {field} is {length}");
    }

    private ReadOnlySpan<byte> Take(int count, string field = "a field")
    {
        if (count > Remaining)
            throw new MalformedFrameException($"{field} takes {count} bytes, with {Remaining} left in the frame");
        var taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }
}

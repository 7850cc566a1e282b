using System.Buffers.Binary;
using System.Text;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Kafka.Wire;

/// <summary>Reads the protocol's primitives; every length is checked against what is there before anything is allocated.</summary>
internal ref struct WireReader(ReadOnlyMemory<byte> memory)
{
    private readonly ReadOnlyMemory<byte> _memory = memory;
    private readonly ReadOnlySpan<byte> _span = memory.Span;
    private int _position;

    public readonly int Remaining => _span.Length - _position;

    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public bool ReadBoolean() => Take(1)[0] != 0;

    public Guid ReadUuid() => new(Take(16), bigEndian: true);

    public uint ReadUnsignedVarint()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = Take(1)[0];
            value |= (uint)(next & 0x7f) << shift;
            if ((next & 0x80) == 0)
                return value;
        }

        throw new MalformedFrameException("an unsigned varint has more than 5 bytes");
    }

    public string? ReadNullableString(bool isFlexible)
    {
        var length = isFlexible ? (int)ReadUnsignedVarint() - 1 : ReadInt16();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    public string ReadString(bool isFlexible) => ReadNullableString(isFlexible) ?? throw new MalformedFrameException("a string is null that must not be");

    public RecordBytes? ReadRecords(bool isFlexible)
    {
        var length = isFlexible ? (int)ReadUnsignedVarint() - 1 : ReadInt32();
        if (length < 0)
            return null;
        var start = _position;
        Take(length);
        return new RecordBytes(_memory.Slice(start, length));
    }

    /// <summary>The count of an array, or -1 where it is null.</summary>
    public int ReadCount(bool isFlexible)
    {
        var count = isFlexible ? (int)ReadUnsignedVarint() - 1 : ReadInt32();
        if (count > Remaining)
            throw new MalformedFrameException($"an array has {count} elements, but {Remaining} bytes are left");
        return count < 0 ? -1 : count;
    }

    /// <summary>The number of tagged fields that follow.</summary>
    public int ReadTagCount(bool isFlexible) => isFlexible ? (int)Math.Min(ReadUnsignedVarint(), int.MaxValue) : 0;

    /// <summary>A tagged field's tag; a reader of its bytes alone, which are passed over here.</summary>
    public int ReadTag(out WireReader field)
    {
        var tag = (int)ReadUnsignedVarint();
        var size = (int)Math.Min(ReadUnsignedVarint(), int.MaxValue);
        var start = _position;
        Take(size);
        field = new WireReader(_memory.Slice(start, size));
        return tag;
    }

    public void SkipTags(bool isFlexible)
    {
        for (var left = ReadTagCount(isFlexible); left > 0; left--)
            ReadTag(out _);
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)Remaining)
            throw new MalformedFrameException($"{count} bytes are wanted at {_position}, but {Remaining} are left");
        var taken = _span.Slice(_position, count);
        _position += count;
        return taken;
    }
}

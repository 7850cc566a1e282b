namespace Granary.Support.Histories;

/// <summary>A record that a producer sent: who, to which partition, and its number in that producer's order on that partition, from 0.</summary>
public readonly record struct SentRecord(int Producer, int Partition, long Number)
{
    public const int SmallestBytes = 16;

    /// <summary>The record's value: the three numbers; the rest is filling.</summary>
    public byte[] ToValue(int bytes = 100)
    {
        var value = new byte[Math.Max(bytes, SmallestBytes)];
        BitConverter.TryWriteBytes(value.AsSpan(0), Producer);
        BitConverter.TryWriteBytes(value.AsSpan(4), Partition);
        BitConverter.TryWriteBytes(value.AsSpan(8), Number);
        return value;
    }

    /// <summary>What a value says. One that is too short is nobody's record: it is told as one of producer -1.</summary>
    public static SentRecord Parse(ReadOnlySpan<byte> value) => value.Length < SmallestBytes
        ? new SentRecord(-1, -1, -1)
        : new SentRecord(BitConverter.ToInt32(value), BitConverter.ToInt32(value[4..]), BitConverter.ToInt64(value[8..]));
}

namespace Granary.Abstractions.Records;

/// <summary>Zig-zag variable-length integers, as records carry them: seven bits a byte, lowest first.</summary>
internal static class Varint
{
    private const int MaxBytesOfInt = 5;
    private const int MaxBytesOfLong = 10;

    public static int SizeOf(long value)
    {
        var bits = 64 - (int)ulong.LeadingZeroCount(ZigZag(value) | 1);
        return (bits + 6) / 7;
    }

    /// <summary>Writes and returns the number of bytes written.</summary>
    public static int Write(Span<byte> destination, long value)
    {
        var rest = ZigZag(value);
        var at = 0;
        while (rest >= 0x80)
        {
            destination[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        destination[at++] = (byte)rest;
        return at;
    }

    /// <summary>False where the bytes end too early, or the number does not end within five bytes.</summary>
    public static bool TryReadInt(ref ReadOnlySpan<byte> bytes, out int value)
    {
        var read = TryRead(ref bytes, MaxBytesOfInt, out var raw);
        value = (int)((uint)raw >> 1) ^ -(int)((uint)raw & 1);
        return read && raw <= uint.MaxValue;
    }

    /// <summary>False where the bytes end too early, or the number does not end within ten bytes.</summary>
    public static bool TryReadLong(ref ReadOnlySpan<byte> bytes, out long value)
    {
        var read = TryRead(ref bytes, MaxBytesOfLong, out var raw);
        value = (long)(raw >> 1) ^ -(long)(raw & 1);
        return read;
    }

    private static bool TryRead(ref ReadOnlySpan<byte> bytes, int maxBytes, out ulong value)
    {
        value = 0;
        var end = Math.Min(maxBytes, bytes.Length);
        for (var at = 0; at < end; at++)
        {
            value |= (ulong)(bytes[at] & 0x7F) << (7 * at);
            if (bytes[at] >= 0x80)
                continue;
            bytes = bytes[(at + 1)..];
            return true;
        }

        return false;
    }

    private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));
}

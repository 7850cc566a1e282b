using System.Numerics;
using System.Runtime.InteropServices;

namespace Granary.Abstractions.Records;

/// <summary>
/// CRC-32C (Castagnoli), as Kafka puts it over a batch from its attributes on. <see cref="BitOperations"/> compiles to the processor's own
/// instruction on x64 (SSE 4.2) and ARM64 and falls back to tables elsewhere. One stream was measured at 10 GB/s, some fifty times what
/// a silo takes in, so three interleaved streams are not worth their tables.
/// </summary>
public static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of what <paramref name="crc"/> was computed of (0: nothing), followed by <paramref name="bytes"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        var words = bytes.Length & ~(sizeof(ulong) - 1);
        if (BitConverter.IsLittleEndian)
        {
            foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes[..words]))
                crc = BitOperations.Crc32C(crc, word);
            bytes = bytes[words..];
        }

        foreach (var one in bytes)
            crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}

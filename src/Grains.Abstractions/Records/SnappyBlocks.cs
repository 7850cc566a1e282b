using System.Buffers;
using System.Buffers.Binary;
using Snappier;

namespace Granary.Abstractions.Records;

/// <summary>
/// Snappy in its two forms on Kafka's wire: one raw block (librdkafka), or the framing of the xerial library (Java): a magic of eight bytes,
/// two version numbers, then blocks, each after its length in four big-endian bytes. Writes the second, which every client reads.
/// </summary>
internal static class SnappyBlocks
{
    private const int FrameHeaderBytes = 16;
    private const int BlockBytes = 32 * 1024;

    private static ReadOnlySpan<byte> Magic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static void Compress(ReadOnlySpan<byte> records, IBufferWriter<byte> target)
    {
        var header = target.GetSpan(FrameHeaderBytes);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32BigEndian(header[8..], 1);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], 1);
        target.Advance(FrameHeaderBytes);
        while (!records.IsEmpty)
        {
            var block = records[..Math.Min(BlockBytes, records.Length)];
            records = records[block.Length..];
            var room = target.GetSpan(sizeof(int) + Snappy.GetMaxCompressedLength(block.Length));
            var length = Snappy.Compress(block, room[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(room, length);
            target.Advance(sizeof(int) + length);
        }
    }

    public static void Decompress(ReadOnlySpan<byte> compressed, BoundedBuffer target, int maxBytes)
    {
        if (!compressed.StartsWith(Magic))
        {
            DecompressBlock(compressed, target, maxBytes);
            return;
        }

        while (!compressed.IsEmpty)
        {
            // Streams may follow one another, each with a header of its own.
            if (compressed.StartsWith(Magic))
            {
                compressed = Skip(compressed, FrameHeaderBytes);
                continue;
            }

            var afterLength = Skip(compressed, sizeof(int));
            var length = BinaryPrimitives.ReadInt32BigEndian(compressed);
            if (length < 0 || length > afterLength.Length)
                throw new InvalidRecordBatchException($"a snappy block says it has {length} bytes, but {afterLength.Length} are left");
            DecompressBlock(afterLength[..length], target, maxBytes);
            compressed = afterLength[length..];
        }
    }

    private static void DecompressBlock(ReadOnlySpan<byte> block, BoundedBuffer target, int maxBytes)
    {
        var length = Snappy.GetUncompressedLength(block);
        if (length < 0 || length > maxBytes - target.Count)
            throw new InvalidRecordBatchException($"a snappy block of {length} bytes passes the allowed {maxBytes} bytes of decompressed records");
        target.Advance(Snappy.Decompress(block, target.GetSpan(length)));
    }

    private static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> bytes, int count) =>
        count <= bytes.Length ? bytes[count..] : throw new InvalidRecordBatchException("the snappy frame ends too early");
}

using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;
using K4os.Compression.LZ4.Streams;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Granary.Abstractions.Records;

/// <summary>Kafka's four codecs over the records of one batch, which lie after its header and are compressed together.</summary>
internal static class RecordCompression
{
    /// <summary>Zstd's own default, 128 MiB: what its highest levels use. A frame that asks for more memory is refused.</summary>
    private const int MaxZstdWindowLog = 27;

    private const int ZstdLevel = 3;

    /// <summary>Java reads LZ4 frames of independent blocks only.</summary>
    private static readonly LZ4EncoderSettings s_lz4 = new() { ChainBlocks = false, BlockSize = 64 * 1024 };

    /// <summary>Appends the compressed records to <paramref name="target"/>.</summary>
    public static void Compress(CompressionCodec codec, ReadOnlySpan<byte> records, BoundedBuffer target)
    {
        switch (codec)
        {
            case CompressionCodec.None:
                target.Write(records);
                break;
            case CompressionCodec.Gzip:
                using (var stream = new GZipStream(new BufferStream(target), CompressionLevel.Optimal))
                    stream.Write(records);
                break;
            case CompressionCodec.Snappy:
                SnappyBlocks.Compress(records, target);
                break;
            case CompressionCodec.Lz4:
                LZ4Frame.Encode(records, target, s_lz4);
                break;
            case CompressionCodec.Zstd:
                using (var compressor = new Compressor(ZstdLevel))
                    target.Advance(compressor.Wrap(records, target.GetSpan(Compressor.GetCompressBound(records.Length))));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(codec), codec, "no such codec");
        }
    }

    /// <summary>The records as they were before; at most <paramref name="maxBytes"/> of them, else <see cref="InvalidRecordBatchException"/>.</summary>
    public static ReadOnlyMemory<byte> Decompress(CompressionCodec codec, ReadOnlyMemory<byte> compressed, int maxBytes)
    {
        if (codec == CompressionCodec.None)
            return compressed;
        var target = new BoundedBuffer((int)Math.Min(compressed.Length * 4L, maxBytes), maxBytes);
        try
        {
            DecompressInto(codec, compressed, target, maxBytes);
        }
        catch (Exception broken) when (broken is not (InvalidRecordBatchException or OutOfMemoryException))
        {
            // Each library has exceptions of its own for broken input, down to index errors; to a reader they are one thing.
            throw new InvalidRecordBatchException($"the records cannot be decompressed as {codec}: {broken.Message}", broken);
        }

        return target.Written;
    }

    private static void DecompressInto(CompressionCodec codec, ReadOnlyMemory<byte> compressed, BoundedBuffer target, int maxBytes)
    {
        switch (codec)
        {
            case CompressionCodec.Gzip:
                Gunzip(compressed, target);
                break;
            case CompressionCodec.Snappy:
                SnappyBlocks.Decompress(compressed.Span, target, maxBytes);
                break;
            case CompressionCodec.Lz4:
                LZ4Frame.Decode(compressed.Span, target);
                break;
            case CompressionCodec.Zstd:
                Unzstd(compressed.Span, target);
                break;
            default:
                throw new InvalidRecordBatchException($"compression codec is {(int)codec}, the last known is 4 (zstd)");
        }
    }

    private static void Gunzip(ReadOnlyMemory<byte> compressed, BoundedBuffer target)
    {
        var array = MemoryMarshal.TryGetArray(compressed, out var segment) ? segment : new ArraySegment<byte>(compressed.ToArray());
        using var stream = new GZipStream(new MemoryStream(array.Array!, array.Offset, array.Count, writable: false), CompressionMode.Decompress);
        int read;
        while ((read = stream.Read(target.GetSpan())) > 0)
            target.Advance(read);
    }

    private static void Unzstd(ReadOnlySpan<byte> compressed, BoundedBuffer target)
    {
        using var decompressor = new Decompressor();
        decompressor.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxZstdWindowLog);
        while (true)
        {
            var status = decompressor.UnwrapStream(compressed, target.GetSpan(), out var consumed, out var written);
            compressed = compressed[consumed..];
            target.Advance(written);
            if (status == OperationStatus.Done && compressed.IsEmpty)
                return;
            if (status == OperationStatus.InvalidData || (status == OperationStatus.NeedMoreData && compressed.IsEmpty))
                throw new InvalidRecordBatchException("the zstd frame is broken or ends too early");
            if (consumed == 0 && written == 0 && status != OperationStatus.DestinationTooSmall)
                throw new InvalidRecordBatchException("the zstd frame does not go on");
        }
    }
}

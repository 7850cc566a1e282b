using System.Buffers.Binary;

namespace Granary.Grains.Storage;

/// <summary>
/// Writes PostgreSQL's binary COPY format (documentation of COPY, "Binary Format") for a slab's rows: all integers big-endian, a value
/// preceded by its length. Encoding it here costs one copy of the payload and nothing per row.
/// </summary>
internal static class CopyRows
{
    public const int HeaderBytes = 19;
    public const int TrailerBytes = 2;

    /// <summary>What a row needs besides its chunk.</summary>
    public const int RowOverheadBytes = 2 + (7 * 4) + 36;

    /// <summary>The columns in the order in which <see cref="WriteRow"/> writes them: the wide ones first, so that nothing is padded.</summary>
    public const string Columns = "base_offset, end_offset, max_timestamp, partition_id, chunk, batch_bytes, data";

    private const short ColumnCount = 7;

    public static int WriteHeader(Span<byte> to)
    {
        ReadOnlySpan<byte> signature = [.. "PGCOPY\n"u8, 0xFF, .. "\r\n\0"u8];
        signature.CopyTo(to);
        to.Slice(signature.Length, 8).Clear();
        return HeaderBytes;
    }

    public static int WriteRow(Span<byte> to, int partitionId, in StagedBatch batch, int chunk)
    {
        var data = BatchChunks.Slice(batch.Bytes, chunk).Span;
        BinaryPrimitives.WriteInt16BigEndian(to, ColumnCount);
        var at = 2;
        at += WriteInt64(to[at..], batch.BaseOffset);
        at += WriteInt64(to[at..], batch.EndOffset);
        at += WriteInt64(to[at..], batch.MaxTimestamp);
        at += WriteInt32(to[at..], partitionId);
        at += WriteInt32(to[at..], chunk);
        at += WriteInt32(to[at..], batch.Bytes.Length);
        BinaryPrimitives.WriteInt32BigEndian(to[at..], data.Length);
        at += 4;
        data.CopyTo(to[at..]);
        return at + data.Length;
    }

    public static int WriteTrailer(Span<byte> to)
    {
        BinaryPrimitives.WriteInt16BigEndian(to, -1);
        return TrailerBytes;
    }

    private static int WriteInt64(Span<byte> to, long value)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, 8);
        BinaryPrimitives.WriteInt64BigEndian(to[4..], value);
        return 12;
    }

    private static int WriteInt32(Span<byte> to, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, 4);
        BinaryPrimitives.WriteInt32BigEndian(to[4..], value);
        return 8;
    }
}

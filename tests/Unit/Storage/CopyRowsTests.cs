using System.Buffers.Binary;
using Granary.Grains.Storage;
using Xunit;

namespace Granary.Unit.Storage;

public sealed class CopyRowsTests
{
    private static readonly SegmentLimits _limits = new(1 << 20, TimeSpan.FromDays(1), null);

    [Fact]
    public void WriteHeader_IsTheSignatureAndTwoZeroFields()
    {
        var to = new byte[CopyRows.HeaderBytes];
        Assert.Equal(19, CopyRows.WriteHeader(to));
        Assert.Equal("PGCOPY\n"u8.ToArray(), to[..7]);
        Assert.Equal([0xFF, 0x0D, 0x0A, 0x00], to[7..11]);
        Assert.Equal(new byte[8], to[11..]);
    }

    [Fact]
    public void WriteRow_OfALaterChunk_HasSevenFieldsAndItsSliceOnly()
    {
        var bytes = new byte[BatchChunks.MaxBytes + 3];
        bytes[^3] = 1;
        bytes[^1] = 3;
        var to = new byte[200];
        var length = CopyRows.WriteRow(to, 77, new StagedBatch(5, 9, 1234, bytes, _limits), chunk: 1);
        Assert.Equal(CopyRows.RowOverheadBytes + 3, length);
        Assert.Equal(7, BinaryPrimitives.ReadInt16BigEndian(to));
        Assert.Equal([8L, 5L, 8L, 9L, 8L, 1234L], Read(to.AsSpan(2), 4, 8, 4, 8, 4, 8));
        Assert.Equal([4L, 77L, 4L, 1L, 4L, bytes.Length, 3L], Read(to.AsSpan(38), 4, 4, 4, 4, 4, 4, 4));
        Assert.Equal([1, 0, 3], to[(length - 3)..length]);
    }

    [Fact]
    public void WriteTrailer_IsMinusOne()
    {
        var to = new byte[2];
        Assert.Equal(2, CopyRows.WriteTrailer(to));
        Assert.Equal([0xFF, 0xFF], to);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(8_096, 1)]
    [InlineData(8_097, 2)]
    [InlineData(5_242_880, 648)]
    public void Count_CoversTheBatchExactly(int batchBytes, int chunks)
    {
        Assert.Equal(chunks, BatchChunks.Count(batchBytes));
        var batch = new byte[batchBytes];
        Assert.Equal(batchBytes, Enumerable.Range(0, chunks).Sum(chunk => BatchChunks.Slice(batch, chunk).Length));
    }

    private static List<long> Read(ReadOnlySpan<byte> from, params ReadOnlySpan<int> widths)
    {
        var values = new List<long>();
        foreach (var width in widths)
        {
            values.Add(width == 8 ? BinaryPrimitives.ReadInt64BigEndian(from) : BinaryPrimitives.ReadInt32BigEndian(from));
            from = from[width..];
        }

        return values;
    }
}

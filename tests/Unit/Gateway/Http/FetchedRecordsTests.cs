using System.Runtime.InteropServices;
using System.Text;
using Granary.Abstractions.Records;
using Granary.Gateway.Http;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Record = Granary.Abstractions.Records.Record;

namespace Granary.Unit.Gateway.Http;

/// <summary>What one fetch takes out of the batches that it read.</summary>
public sealed class FetchedRecordsTests
{
    [Fact]
    public void Take_StopsAtTheLimit_AndGoesOnThere()
    {
        byte[] batches = [.. Batch(0, 3, 10), .. Batch(3, 3, 10)];

        Assert.Equal("0 1 > 2", Take(batches, 0, 2, int.MaxValue));
        Assert.Equal("1 2 3 > 4", Take(batches, 1, 3, int.MaxValue));
        Assert.Equal("3 4 5 > 6", Take(batches, 3, 3, int.MaxValue));
        Assert.Equal("5 > 6", Take(batches, 5, 3, int.MaxValue));
    }

    [Fact]
    public void Take_BatchesThatAreSmallOnlyAsTheyLie_StopsAtTheBytesOfTheirRecords()
    {
        // Each is a few dozen bytes, and a thousand times that when it is decompressed.
        byte[] batches = [.. Enumerable.Range(0, 20).SelectMany(number => Batch(number * 2, 2, 100_000, CompressionCodec.Gzip))];
        Assert.True(batches.Length < 20_000, $"{batches.Length}");

        Assert.Equal("0 1 2 3 4 > 5", Take(batches, 0, 10_000, 450_000));
        Assert.Equal("5 > 6", Take(batches, 5, 10_000, 1));
    }

    [Fact]
    public void Take_RecordsThatCannotBeRead_AreAProblemThatSaysWhereToGoOn()
    {
        byte[] batches = [.. Batch(0, 2, 10), .. Broken(2), .. Batch(5, 1, 10)];

        // What comes before them is had.
        Assert.Equal("0 1 > 2", Take(batches, 0, 100, int.MaxValue));
        var problem = Assert.Throws<Problem>(() => Take(batches[Batch(0, 2, 10).Length..], 2, 100, int.MaxValue));
        Assert.Equal((ErrorCode.CorruptMessage, 500, 5L), (problem.Error, problem.Status, problem.More["nextOffset"]));
        Assert.Equal("5 > 6", Take(Batch(5, 1, 10), 5, 100, int.MaxValue));
    }

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public void Take_KeepsNoMoreMemoryThanItSays(CompressionCodec codec)
    {
        byte[] batches = [.. Batch(0, 30, 100_000, codec), .. Batch(30, 30, 100_000, codec)];
        foreach (var (offset, limit, maxBytes) in new[] { (0, 1, int.MaxValue), (29, 2, int.MaxValue), (10, 60, 500_000), (0, 60, int.MaxValue), (5, 30, int.MaxValue) })
        {
            var (records, _, kept) = FetchedRecords.Take(batches, offset, limit, maxBytes);

            Assert.NotEmpty(records);
            Assert.InRange(kept, records.Sum(record => record.Value!.Value.Length), 2.1 * records.Sum(record => record.MemoryBytes));
            Assert.InRange(ArraysOf(records).Sum(array => array.Length), 1, kept);
        }
    }

    [Fact]
    public void Take_OfMostOfWhatWasRead_CopiesNothing()
    {
        byte[] batches = [.. Batch(0, 30, 100), .. Batch(30, 30, 100)];
        Assert.Same(batches, Assert.Single(ArraysOf(FetchedRecords.Take(batches, 20, 100, int.MaxValue).Records)));
    }

    [Fact]
    public void Take_HeadersOfNothing_CountAsWhatTheyTake()
    {
        var writer = new RecordBatchWriter();
        for (var i = 0; i < 20; i++)
            writer.Append(1_000, null, null, [.. Enumerable.Repeat(new RecordHeader("", null), 10_000)]);
        Assert.Equal("0 1 > 2", Take(writer.Build(), 0, 100, 1_000_000));
    }

    private static IEnumerable<byte[]> ArraysOf(IEnumerable<Record> records) =>
        records.Select(record => MemoryMarshal.TryGetArray(record.Value!.Value, out var array) ? array.Array! : []).Distinct();

    /// <summary>The records' offsets, and where to go on.</summary>
    private static string Take(ReadOnlyMemory<byte> batches, long offset, int limit, int maxBytes)
    {
        var (records, next, _) = FetchedRecords.Take(batches, offset, limit, maxBytes);
        return $"{string.Join(' ', records.Select(record => record.Offset))} > {next}";
    }

    private static byte[] Batch(long baseOffset, int count, int valueBytes, CompressionCodec codec = CompressionCodec.None)
    {
        var writer = new RecordBatchWriter(codec);
        for (var i = 0; i < count; i++)
            writer.Append(1_000, null, Encoding.UTF8.GetBytes(new string('x', valueBytes)), []);
        var batch = writer.Build();
        RecordBatchHeader.StampBaseOffset(batch, baseOffset);
        return batch;
    }

    /// <summary>Three records, of which the first is no record; with the CRC of what they are.</summary>
    private static byte[] Broken(long baseOffset)
    {
        var batch = Batch(baseOffset, 3, 10);
        batch[RecordBatchHeader.SizeBytes] = 0xff;
        Assert.True(RecordBatchHeader.TryRead(batch, out var header));
        (header with { Crc = RecordBatchHeader.ComputeCrc(batch) }).WriteTo(batch);
        return batch;
    }
}

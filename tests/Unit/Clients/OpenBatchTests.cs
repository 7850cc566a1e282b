using System.Runtime.InteropServices;
using System.Text;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
using Xunit;
using Record = Granary.Abstractions.Records.Record;

namespace Granary.Unit.Clients;

/// <summary>A batch that is read by somebody who may be slow.</summary>
public sealed class OpenBatchTests
{
    private const int Records = 100, ValueBytes = 10_000;

    [Theory]
    [InlineData(CompressionCodec.Gzip, 0)]
    [InlineData(CompressionCodec.Snappy, 37)]
    [InlineData(CompressionCodec.Lz4, 99)]
    [InlineData(CompressionCodec.Zstd, 100)]
    public void TryRead_OfALargeBatch_GivesAllOfIt_AndKeepsLittleOfIt(CompressionCodec codec, long from)
    {
        var bytes = Batch(codec);
        var batch = new OpenBatch(bytes, from, RecordReadOptions.Default, 5 * ValueBytes);
        foreach (var expected in RecordBatchReader.ReadAll(bytes).Where(record => record.Offset >= from))
        {
            Assert.True(batch.TryRead(out var record));
            Assert.Equal(Shown(expected), Shown(record));
            Assert.InRange(ArrayOf(record).Length, 1, 2 * ValueBytes);
        }

        Assert.False(batch.TryRead(out _));
        Assert.False(batch.TryRead(out _));
    }

    [Fact]
    public void TryRead_OfABatchThatIsNotCompressed_CopiesNothing()
    {
        var bytes = Batch(CompressionCodec.None);
        Assert.True(new OpenBatch(bytes, 0, RecordReadOptions.Default, 5 * ValueBytes).TryRead(out var record));
        Assert.Same(bytes, ArrayOf(record));
    }

    [Fact]
    public void TryRead_OfABatchThatIsSmallDecompressed_KeepsItWhole()
    {
        var batch = new OpenBatch(Batch(CompressionCodec.Zstd), 0, RecordReadOptions.Default, 10 * Records * ValueBytes);
        Assert.True(batch.TryRead(out var first));
        Assert.True(batch.TryRead(out var second));
        Assert.Same(ArrayOf(first), ArrayOf(second));
    }

    [Fact]
    public void TryRead_OfALargeBatchThatIsBroken_GivesWhatComesBeforeThat()
    {
        // It says that it has one record less: that bytes are left is seen after its last.
        var bytes = Batch(CompressionCodec.Gzip);
        Assert.True(RecordBatchHeader.TryRead(bytes, out var header));
        header = header with { RecordCount = Records - 1 };
        header.WriteTo(bytes);
        (header with { Crc = RecordBatchHeader.ComputeCrc(bytes) }).WriteTo(bytes);
        var batch = new OpenBatch(bytes, 0, RecordReadOptions.Default, (2 * Records * ValueBytes) / 3);

        for (var offset = 0; offset < Records - 1; offset++)
        {
            Assert.True(batch.TryRead(out var record));
            Assert.Equal(offset, record.Offset);
        }

        Assert.Throws<InvalidRecordBatchException>(() => batch.TryRead(out _));
    }

    private static string Shown(Record record) =>
        $"{record.Offset} {record.Timestamp} {record.KeyText} {record.ValueText} {string.Join(' ', record.Headers.Select(header => $"{header.Key}={(header.Value is { } value ? Encoding.UTF8.GetString(value.Span) : "none")}"))}";

    private static byte[] ArrayOf(Record record)
    {
        Assert.True(MemoryMarshal.TryGetArray(record.Value!.Value, out var array));
        return array.Array!;
    }

    private static byte[] Batch(CompressionCodec codec)
    {
        var writer = new RecordBatchWriter(codec);
        for (var i = 0; i < Records; i++)
            writer.Append(1_000 + i, i % 2 == 0 ? null : Encoding.UTF8.GetBytes($"key-{i}"), Encoding.UTF8.GetBytes(new string((char)('a' + (i % 26)), ValueBytes)), [new RecordHeader("a", Encoding.UTF8.GetBytes($"{i}")), new RecordHeader("b", null)]);
        return writer.Build();
    }
}

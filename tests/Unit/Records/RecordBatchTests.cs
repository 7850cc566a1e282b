using System.IO.Compression;
using System.Text;
using CsCheck;
using Granary.Abstractions.Records;
using Snappier;
using Xunit;
using LogRecord = Granary.Abstractions.Records.Record;

namespace Granary.Unit.Records;

public sealed class RecordBatchTests
{
    private static readonly Gen<ReadOnlyMemory<byte>?> s_genBytes = Gen.OneOf(
        Gen.Const((ReadOnlyMemory<byte>?)null),
        Gen.Byte.Array[0, 200].Select(bytes => (ReadOnlyMemory<byte>?)bytes),
        Gen.Select(Gen.Byte, Gen.Int[0, 5_000], (value, count) => (ReadOnlyMemory<byte>?)Enumerable.Repeat(value, count).ToArray()));

    private static readonly Gen<RecordHeader> s_genHeader = Gen.Select(Gen.String[0, 20], s_genBytes, (key, value) => new RecordHeader(Wellformed(key), value));

    private static readonly Gen<LogRecord> s_genRecord = Gen.Select(Gen.Long[-1, 1L << 50], s_genBytes, s_genBytes, s_genHeader.Array[0, 4], (timestamp, key, value, headers) =>
        new LogRecord { Timestamp = timestamp, Key = key, Value = value, Headers = headers });

    private static readonly Gen<(CompressionCodec Codec, LogRecord[] Records)> s_genBatch =
        Gen.Select(Gen.Enum<CompressionCodec>(), s_genRecord.Array[1, 60]);

    [Fact]
    public void RoundTrip_OfAnyRecords_GivesThemBack() => s_genBatch.Sample(
        batch =>
        {
            var bytes = Write(batch.Codec, batch.Records);
            Assert.True(RecordBatchCheck.Check(bytes).IsAccepted);
            var back = RecordBatchReader.ReadAll(bytes).ToArray();
            Assert.Equal(batch.Records.Select((record, i) => Describe(record with { Offset = i })), back.Select(Describe));
        },
        iter: 300);

    [Fact]
    public void Read_OfMutatedBatches_ThrowsOneKindOnly() => Gen.Select(s_genBatch, Gen.Int[0, int.MaxValue].Array[1, 4], Gen.Byte).Sample(
        (batch, places, value) =>
        {
            var bytes = Write(batch.Codec, batch.Records);
            foreach (var place in places)
                bytes[place % bytes.Length] = value;
            if (value % 3 == 0)
                bytes = bytes[..(places[0] % bytes.Length)];
            ReadWhatever(bytes, checkCrc: false);
        },
        iter: 3_000);

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public void Read_OfADecompressionBomb_IsRefusedAtTheLimit(CompressionCodec codec)
    {
        var bytes = Write(codec, [new LogRecord { Timestamp = 1, Value = new byte[4_000_000] }]);
        Assert.True(bytes.Length < 250_000);
        var options = new RecordReadOptions { MaxDecompressedBytes = 1_000_000 };
        Assert.Contains("1000000", Assert.Throws<InvalidRecordBatchException>(() => RecordBatchReader.ReadAll(bytes, options).Count()).Message, StringComparison.Ordinal);
        Assert.Single(RecordBatchReader.ReadAll(bytes, options with { MaxDecompressedBytes = 4_000_100 }));
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public void Decompress_OfATruncation_ThrowsOrGivesTheFirstBytes(CompressionCodec codec)
    {
        var records = new byte[100_000];
        new Random(3).NextBytes(records.AsSpan(0, 300));
        var target = new BoundedBuffer(100, int.MaxValue);
        RecordCompression.Compress(codec, records, target);
        for (var length = 0; length < target.Count; length += 7)
        {
            try
            {
                // Between two blocks, or within gzip's trailer, the codec cannot tell: the batch's CRC and record count do.
                var got = RecordCompression.Decompress(codec, target.Written[..length], 1_000_000);
                Assert.True(records.AsSpan().StartsWith(got.Span));
            }
            catch (InvalidRecordBatchException)
            {
                // The usual answer.
            }
        }
    }

    [Fact]
    public void Read_OfRawSnappy_AsLibrdkafkaWrites_GivesTheRecords()
    {
        var plain = Write(CompressionCodec.None, [new LogRecord { Timestamp = 5, Value = Encoding.UTF8.GetBytes("raw") }]);
        byte[] batch = [.. plain.AsSpan(0, RecordBatchHeader.SizeBytes), .. Snappy.CompressToArray(plain.AsSpan(RecordBatchHeader.SizeBytes))];
        Assert.Equal("raw", Assert.Single(RecordBatchReader.ReadAll(Stamp(batch, CompressionCodec.Snappy))).ValueText);
    }

    [Fact]
    public void Read_OfGzipInSeveralMembers_GivesTheRecords()
    {
        var plain = Write(CompressionCodec.None, [new LogRecord { Timestamp = 5, Value = new byte[1_000] }]);
        var records = plain.AsSpan(RecordBatchHeader.SizeBytes);
        byte[] batch = [.. plain.AsSpan(0, RecordBatchHeader.SizeBytes), .. Gzip(records[..100]), .. Gzip(records[100..])];
        Assert.Equal(1_000, Assert.Single(RecordBatchReader.ReadAll(Stamp(batch, CompressionCodec.Gzip))).Value!.Value.Length);
    }

    [Fact]
    public void Read_WithAppendTime_GivesItToAllRecords()
    {
        var bytes = Write(CompressionCodec.Lz4, [new LogRecord { Timestamp = 5 }, new LogRecord { Timestamp = 9 }]);
        RecordBatchHeader.StampLogAppendTime(bytes, 77);
        Assert.All(RecordBatchReader.ReadAll(bytes), record => Assert.Equal(77, record.Timestamp));
    }

    [Fact]
    public void Read_OfSeveralBatches_GoesThroughAll()
    {
        var first = Write(CompressionCodec.Zstd, [new LogRecord { Timestamp = 1 }, new LogRecord { Timestamp = 2 }]);
        var second = Write(CompressionCodec.None, [new LogRecord { Timestamp = 3 }]);
        RecordBatchHeader.StampBaseOffset(second, 2);
        byte[] both = [.. first, .. second];
        Assert.Equal([0L, 1L, 2L], RecordBatchReader.ReadAll(both).Select(record => record.Offset));
        Assert.Throws<InvalidRecordBatchException>(() => RecordBatchReader.ReadAll(both.AsMemory(0, both.Length - 1)).Count());
    }

    [Fact]
    public void MaxSizeOf_IsNeverLessThanWhatARecordAdds() => s_genRecord.Sample(
        record =>
        {
            var writer = new RecordBatchWriter();
            writer.Append(-1, null, null);
            var before = writer.UncompressedBytes;
            writer.Append(record.Timestamp, record.Key, record.Value, record.Headers);
            return writer.UncompressedBytes - before <= RecordBatchWriter.MaxSizeOf(record.Key, record.Value, record.Headers);
        },
        iter: 200);

    [Fact]
    public void StampProducer_IntoABuiltBatch_EqualsBuildingWithIt()
    {
        var stamp = new ProducerStamp { ProducerId = 8, ProducerEpoch = 2, BaseSequence = 40 };
        var writer = new RecordBatchWriter(CompressionCodec.Gzip);
        writer.Append(1, null, new byte[10]);
        var plain = writer.Build();
        RecordBatchHeader.StampProducer(plain, stamp);
        Assert.Equal(writer.Build(stamp), plain);
    }

    private static void ReadWhatever(byte[] bytes, bool checkCrc)
    {
        try
        {
            _ = RecordBatchReader.ReadAll(bytes, new RecordReadOptions { MaxDecompressedBytes = 1 << 20, CheckCrc = checkCrc }).Count();
        }
        catch (InvalidRecordBatchException)
        {
            // What malformed input is answered with; anything else fails the test.
        }
    }

    private static byte[] Write(CompressionCodec codec, IEnumerable<LogRecord> records)
    {
        var writer = new RecordBatchWriter(codec);
        foreach (var record in records)
            writer.Append(record.Timestamp, record.Key, record.Value, record.Headers);
        return writer.Build();
    }

    private static byte[] Stamp(byte[] batch, CompressionCodec codec)
    {
        Assert.True(RecordBatchHeader.TryRead(batch, out var header));
        (header with { Attributes = (short)codec, BatchLength = batch.Length - RecordBatchHeader.LengthPrefixBytes }).WriteTo(batch);
        RecordBatchHeader.StampProducer(batch, ProducerStamp.None);
        return batch;
    }

    private static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return stream.ToArray();
    }

    // Half surrogates have no UTF-8, so no header of Kafka's can carry them.
    private static string Wellformed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Describe(LogRecord record) =>
        $"{record.Offset} {record.Timestamp} {Hex(record.Key)} {Hex(record.Value)} {string.Join(',', record.Headers.Select(h => h.Key + "=" + Hex(h.Value)))}";

    private static string Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } some ? Convert.ToHexString(some.Span) : "null";
}

using System.Text;
using Granary.Abstractions.Records;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;
using LogRecord = Granary.Abstractions.Records.Record;

namespace Granary.Unit.Records;

public sealed class RecordVectorTests
{
    [Fact]
    public void Read_OfKafkasBatches_GivesTheSameRecordsInEveryCodec()
    {
        var vectors = RecordVectors.Load();
        var expected = Read(vectors["plain-none"]);
        Assert.Equal(20, expected.Count);
        Assert.Null(expected[0].Key);
        Assert.Null(expected[0].Value);
        Assert.Equal(["h=x0", "null="], expected[0].Headers.Select(Text));
        Assert.Equal(("key1", "value-value-value-1"), (expected[1].KeyText, expected[1].ValueText));
        Assert.Equal(1234L + 19, expected[19].Offset);
        foreach (var codec in new[] { "none", "gzip", "snappy", "lz4", "zstd" })
        {
            foreach (var kind in new[] { "plain", "idempotent", "txn" })
            {
                var records = Read(vectors[$"{kind}-{codec}"]);
                Assert.Equal(expected.Select(Describe), records.Select(Describe));
            }
        }
    }

    [Fact]
    public void Read_OfKafkasHeaders_GivesTheirFields()
    {
        var vectors = RecordVectors.Load();
        Assert.True(RecordBatchHeader.TryRead(vectors["idempotent-zstd"], out var idempotent));
        Assert.Equal((4711L, (short)3, 99, 20), (idempotent.ProducerId, idempotent.ProducerEpoch, idempotent.BaseSequence, idempotent.RecordCount));
        Assert.Equal((CompressionCodec.Zstd, false), (idempotent.Compression, idempotent.IsTransactional));
        Assert.True(RecordBatchHeader.TryRead(vectors["txn-lz4"], out var transactional));
        Assert.True(transactional.IsTransactional);
        Assert.Equal(5, transactional.PartitionLeaderEpoch);
        Assert.True(RecordBatchHeader.TryRead(vectors["control-commit"], out var control));
        Assert.True(control.IsControl);
        Assert.Empty(RecordBatchReader.ReadAll(vectors["control-commit"]));
    }

    [Fact]
    public void Check_OfKafkasBatches_TakesThemAsAProducersWouldSend()
    {
        foreach (var (name, bytes) in RecordVectors.Load())
        {
            var sent = bytes.ToArray();
            RecordBatchHeader.StampBaseOffset(sent, 0);
            var error = RecordBatchCheck.Check(sent).Error;
            var expected = name.Split('-')[0] switch
            {
                "legacy" => ErrorCode.UnsupportedForMessageFormat,
                "control" => ErrorCode.InvalidRecord,
                _ => ErrorCode.None,
            };
            Assert.Equal((name, expected), (name, error));
        }
    }

    [Fact]
    public void Write_OfTheSameRecords_GivesKafkasBytes()
    {
        var vectors = RecordVectors.Load();
        foreach (var kind in new[] { "plain", "idempotent", "txn" })
        {
            var expected = vectors[$"{kind}-none"];
            Assert.True(RecordBatchHeader.TryRead(expected, out var header));
            var writer = new RecordBatchWriter();
            foreach (var record in Read(expected))
                writer.Append(record.Timestamp, record.Key, record.Value, record.Headers);
            var written = writer.Build(new ProducerStamp
            {
                ProducerId = header.ProducerId,
                ProducerEpoch = header.ProducerEpoch,
                BaseSequence = header.BaseSequence,
                IsTransactional = header.IsTransactional,
            });
            RecordBatchHeader.StampBaseOffset(written, header.BaseOffset);
            RecordBatchHeader.StampLeaderEpoch(written, header.PartitionLeaderEpoch);
            Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(written));
        }
    }

    private static List<LogRecord> Read(byte[] batch)
    {
        Assert.True(RecordBatchHeader.TryRead(batch, out var header));
        var moved = batch.ToArray();
        RecordBatchHeader.StampBaseOffset(moved, 1234);
        Assert.Equal(header.Crc, RecordBatchHeader.ComputeCrc(moved));
        return [.. RecordBatchReader.ReadAll(moved)];
    }

    private static string Describe(LogRecord record) =>
        $"{record.Offset} {record.Timestamp} {record.KeyText ?? "null"} {record.ValueText ?? "null"} {string.Join(',', record.Headers.Select(Text))}";

    private static string Text(RecordHeader header) =>
        $"{header.Key}={(header.Value is { } value ? Encoding.UTF8.GetString(value.Span) : string.Empty)}";
}

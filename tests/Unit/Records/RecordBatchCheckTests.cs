using System.Buffers.Binary;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Records;

public sealed class RecordBatchCheckTests
{
    private static readonly RecordBatchHeader s_good = new()
    {
        BatchLength = RecordBatchHeader.SizeBytes - RecordBatchHeader.LengthPrefixBytes + 10,
        PartitionLeaderEpoch = -1,
        Magic = 2,
        LastOffsetDelta = 1,
        BaseTimestamp = 1_000_000,
        MaxTimestamp = 1_000_005,
        ProducerId = -1,
        ProducerEpoch = -1,
        BaseSequence = -1,
        RecordCount = 2,
    };

    [Fact]
    public void Check_OfAGoodBatch_GivesItsHeader()
    {
        var verdict = RecordBatchCheck.Check(Batch(s_good));
        Assert.True(verdict.IsAccepted);
        Assert.Equal(s_good with { Crc = verdict.Header.Crc }, verdict.Header);
    }

    [Fact]
    public void Check_OfEveryTruncation_IsCorrupt()
    {
        var batch = Batch(s_good);
        for (var length = 0; length < batch.Length; length++)
            Assert.Equal(ErrorCode.CorruptMessage, RecordBatchCheck.Check(batch.AsSpan(0, length)).Error);
    }

    [Fact]
    public void Check_WithBytesAfterTheBatch_IsRefused() =>
        Assert.Equal(ErrorCode.InvalidRecord, RecordBatchCheck.Check([.. Batch(s_good), 0]).Error);

    [Fact]
    public void Check_WithAnyBitFlippedUnderTheCrc_IsRefused()
    {
        var batch = Batch(s_good);
        for (var bit = RecordBatchHeader.CrcAt * 8; bit < batch.Length * 8; bit++)
        {
            batch[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(ErrorCode.CorruptMessage, RecordBatchCheck.Check(batch).Error);
            batch[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Check_OfOldMagic_IsUnsupported(byte magic)
    {
        var batch = new byte[40];
        batch[RecordBatchHeader.MagicAt] = magic;
        Assert.Equal(ErrorCode.UnsupportedForMessageFormat, RecordBatchCheck.Check(batch).Error);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    public void Check_OfUnknownMagic_IsCorrupt(sbyte magic) => Refused(s_good with { Magic = magic }, ErrorCode.CorruptMessage, $"{magic}");

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(48)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void Check_OfAnImpossibleLength_IsCorrupt(int length) =>
        Refused(s_good with { BatchLength = length }, ErrorCode.CorruptMessage, $"{length}");

    [Theory]
    [InlineData(0, -1)]
    [InlineData(-1, -2)]
    [InlineData(3, 1)]
    [InlineData(1, 1)]
    [InlineData(int.MinValue, int.MaxValue)]
    public void Check_WhereCountContradictsOffsets_IsInvalid(int count, int lastOffsetDelta) =>
        Refused(s_good with { RecordCount = count, LastOffsetDelta = lastOffsetDelta }, ErrorCode.InvalidRecord, $"{count}");

    [Fact]
    public void Check_OfProducerFields_WantsThemWhole()
    {
        var producing = s_good with { ProducerId = 7, ProducerEpoch = 0, BaseSequence = 0 };
        Assert.True(RecordBatchCheck.Check(Batch(producing)).IsAccepted);
        Refused(producing with { BaseSequence = -1 }, ErrorCode.InvalidRecord, "base sequence is -1");
        Refused(producing with { ProducerEpoch = -1 }, ErrorCode.InvalidRecord, "producer epoch is -1");
        Refused(s_good with { Attributes = 0x10 }, ErrorCode.InvalidRecord, "transactional");
    }

    [Fact]
    public void Check_OfControlBatch_IsRefused() => Refused(s_good with { Attributes = 0x20 }, ErrorCode.InvalidRecord, "control");

    [Fact]
    public void Check_OfABaseOffset_IsRefused() => Refused(s_good with { BaseOffset = 5 }, ErrorCode.InvalidRecord, "base offset is 5");

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Check_OfUnknownCodec_IsUnsupported(short codec) =>
        Refused(s_good with { Attributes = codec }, ErrorCode.UnsupportedCompressionType, $"{codec}");

    [Fact]
    public void Stamp_OfOffsetAndEpoch_KeepsTheCrc()
    {
        var batch = Batch(s_good);
        RecordBatchHeader.StampBaseOffset(batch, 1L << 40);
        RecordBatchHeader.StampLeaderEpoch(batch, 12);
        Assert.True(RecordBatchHeader.TryRead(batch, out var header));
        Assert.Equal((1L << 40, (1L << 40) + 2, 12), (header.BaseOffset, header.EndOffset, header.PartitionLeaderEpoch));
        Assert.Equal(header.Crc, RecordBatchHeader.ComputeCrc(batch));
    }

    [Fact]
    public void Stamp_OfAppendTime_MakesANewCrc()
    {
        var batch = Batch(s_good);
        RecordBatchHeader.StampLogAppendTime(batch, 99);
        var verdict = RecordBatchCheck.Check(batch);
        Assert.True(verdict.IsAccepted);
        Assert.Equal((99, TimestampType.LogAppendTime), (verdict.Header.MaxTimestamp, verdict.Header.TimestampType));
        Assert.Equal(s_good.BaseTimestamp, verdict.Header.BaseTimestamp);
    }

    [Theory]
    [InlineData(1_000_000, 1_000_005, true)]
    [InlineData(900_000, 2_000_000, true)]
    [InlineData(899_999, 1_000_000, false)]
    [InlineData(1_000_000, 2_000_001, false)]
    [InlineData(-1, -1, true)]
    [InlineData(long.MinValue, 0, false)]
    [InlineData(0, long.MaxValue, false)]
    public void CheckTimestamps_HoldsBothBounds(long baseTimestamp, long maxTimestamp, bool accepted)
    {
        var header = s_good with { BaseTimestamp = baseTimestamp, MaxTimestamp = maxTimestamp };
        var bounds = new TimestampBounds { Now = 1_000_000, BeforeMaxMs = 100_000, AfterMaxMs = 1_000_000 };
        var verdict = RecordBatchCheck.CheckTimestamps(header, bounds);
        Assert.Equal(accepted ? null : ErrorCode.InvalidTimestamp, verdict?.Error);
    }

    [Fact]
    public void LastSequence_WrapsToZero()
    {
        var header = s_good with { ProducerId = 1, BaseSequence = int.MaxValue, LastOffsetDelta = 3 };
        Assert.Equal(2, header.LastSequence);
    }

    private static void Refused(RecordBatchHeader header, ErrorCode error, string wordOfMessage)
    {
        var verdict = RecordBatchCheck.Check(Batch(header));
        Assert.Equal(error, verdict.Error);
        Assert.Contains(wordOfMessage, verdict.Message, StringComparison.Ordinal);
    }

    private static byte[] Batch(RecordBatchHeader header)
    {
        var batch = new byte[RecordBatchHeader.SizeBytes + 10];
        header.WriteTo(batch);
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc32C.Compute(batch.AsSpan(21)));
        return batch;
    }
}

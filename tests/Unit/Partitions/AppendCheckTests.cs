using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Grains.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Partitions;

public sealed class AppendCheckTests
{
    private const long Now = 1_700_000_000_000;
    private static readonly RecordBatchHeader s_good = new()
    {
        Magic = 2,
        BatchLength = 88,
        RecordCount = 3,
        LastOffsetDelta = 2,
        BaseTimestamp = Now,
        MaxTimestamp = Now,
        ProducerId = -1,
        ProducerEpoch = -1,
        BaseSequence = -1,
    };

    [Fact]
    public void Refuse_OfAGoodBatch_IsNull() => Assert.Null(AppendCheck.Refuse(s_good, 100, new TopicSettings(), Now));

    [Fact]
    public void Refuse_AboveMaxMessageBytes_NamesValueAndLimit()
    {
        var refusal = AppendCheck.Refuse(s_good, 100, new TopicSettings { MaxMessageBytes = 99 }, Now);
        Assert.Equal(ErrorCode.MessageTooLarge, refusal?.Error);
        Assert.Contains("100", refusal?.Message);
        Assert.Contains("99", refusal?.Message);
    }

    [Fact]
    public void Refuse_OfWrongHeaders_NamesTheirCode()
    {
        Assert.Equal(ErrorCode.CorruptMessage, Code(s_good with { Magic = 1 }));
        Assert.Equal(ErrorCode.CorruptMessage, Code(s_good with { BatchLength = 87 }));
        Assert.Equal(ErrorCode.InvalidRecord, Code(s_good with { RecordCount = 4 }));
        Assert.Equal(ErrorCode.InvalidRecord, Code(s_good with { RecordCount = 0, LastOffsetDelta = -1 }));
        Assert.Equal(ErrorCode.InvalidRecord, Code(s_good with { Attributes = 0x20 }));
        Assert.Equal(ErrorCode.InvalidTxnState, Code(s_good with { Attributes = 0x10 }));
        Assert.Equal(ErrorCode.InvalidTimestamp, Code(s_good with { Attributes = 0x08 }));
        Assert.Equal(ErrorCode.InvalidRecord, Code(s_good with { ProducerId = 5, ProducerEpoch = 0 }));
        Assert.Equal(ErrorCode.InvalidTimestamp, Code(s_good with { MaxTimestamp = Now + 3_600_001 }));
    }

    [Fact]
    public void Refuse_WhereTheLogStampsTimes_TakesAnyTime() =>
        Assert.Null(AppendCheck.Refuse(
            s_good with { MaxTimestamp = long.MaxValue }, 100, new TopicSettings { TimestampType = TimestampType.LogAppendTime }, Now));

    private static ErrorCode? Code(RecordBatchHeader header) => AppendCheck.Refuse(header, 100, new TopicSettings(), Now)?.Error;
}

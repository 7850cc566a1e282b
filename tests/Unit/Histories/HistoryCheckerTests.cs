using Granary.Support.Histories;

namespace Granary.Unit.Histories;

/// <summary>A checker that finds nothing proves nothing: each anomaly is planted once and must be found, alone.</summary>
public sealed class HistoryCheckerTests
{
    private static readonly SentRecord[] s_sent = [.. Enumerable.Range(0, 10).Select(number => new SentRecord(1, 0, number))];
    private static readonly SentRecord s_foreign = new(2, 0, 0);
    private static readonly AcknowledgedRecord[] s_told = [.. s_sent.Select(record => new AcknowledgedRecord(record, record.Number))];
    private static readonly FoundRecord[] s_found = [.. s_sent.Select(record => new FoundRecord(0, record.Number, record))];

    [Fact]
    public void Check_OfAnHonestHistory_FindsNothing() => Assert.Empty(HistoryChecker.Check(s_sent, s_told, s_found));

    [Fact]
    public void Check_OfUnknownOutcomes_AcceptsBothWays()
    {
        Assert.Empty(HistoryChecker.Check(s_sent, s_told[..5], s_found));
        Assert.Empty(HistoryChecker.Check(s_sent, s_told[..5], s_found[..5]));
    }

    [Fact]
    public void Check_FindsALostRecord() => AssertFinds([$"{s_sent[9]} was acknowledged at offset 9 and is not there"], s_sent, s_told, s_found[..9]);

    [Fact]
    public void Check_FindsAHole() =>
        AssertFinds(["partition 0 has a hole between offsets 4 and 6"], s_sent, s_told[..5], [.. s_found[..5], .. s_found[6..]]);

    [Fact]
    public void Check_FindsADouble() =>
        AssertFinds([$"{s_sent[9]} lies at offsets 9, 10"], s_sent, s_told, [.. s_found, new FoundRecord(0, 10, s_sent[9])]);

    [Fact]
    public void Check_FindsAnOffsetReadTwice() => AssertFinds(
        ["offset 9 of partition 0 was read twice"], [.. s_sent, s_foreign], s_told, [.. s_found, new FoundRecord(0, 9, s_foreign)]);

    [Fact]
    public void Check_FindsARecordNobodySent() =>
        AssertFinds([$"{s_foreign} was never sent"], s_sent, s_told, [.. s_found, new FoundRecord(0, 10, s_foreign)]);

    [Fact]
    public void Check_FindsARecordInAnotherPartition() =>
        AssertFinds([$"{s_sent[9]} lies in partition 1"], s_sent, s_told[..9], [.. s_found[..9], new FoundRecord(1, 0, s_sent[9])]);

    [Fact]
    public void Check_FindsReordering() => AssertFinds(
        ["producer 1 on partition 0: 8 lies behind 9"],
        s_sent,
        s_told[..8],
        [.. s_found[..8], new FoundRecord(0, 8, s_sent[9]), new FoundRecord(0, 9, s_sent[8])]);

    /// <summary>Two things are wrong then: its record is lost, and the other's place was told to it.</summary>
    [Fact]
    public void Check_FindsAnOffsetToldTwice() => AssertFinds(
        [
            $"{s_foreign} was acknowledged at offset 9 and is not there",
            $"offset 9 of partition 0 was told to 2 records: {s_foreign}, and {s_sent[9]} lies there",
        ],
        [.. s_sent, s_foreign],
        [.. s_told, new AcknowledgedRecord(s_foreign, 9)],
        s_found);

    private static void AssertFinds(string[] what, SentRecord[] sent, AcknowledgedRecord[] told, FoundRecord[] found) =>
        Assert.Equal(what, HistoryChecker.Check(sent, told, found));
}

using Granary.Support.Histories;

namespace Granary.Unit.Histories;

/// <summary>A checker that finds nothing proves nothing: each anomaly is planted once and must be found, alone.</summary>
public sealed class HistoryCheckerTests
{
    private static readonly SentRecord[] s_sent = [.. Enumerable.Range(0, 10).Select(number => new SentRecord(1, 0, number))];
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
    public void Check_FindsALostRecord() => AssertFinds("is not there", s_sent, s_told, s_found[..9]);

    [Fact]
    public void Check_FindsAHole() => AssertFinds("a hole", s_sent, s_told[..5], [.. s_found[..5], .. s_found[6..]]);

    [Fact]
    public void Check_FindsADouble() => AssertFinds("lies at offsets", s_sent, s_told, [.. s_found, new FoundRecord(0, 10, s_sent[9])]);

    [Fact]
    public void Check_FindsAnOffsetReadTwice() =>
        AssertFinds("was read twice", [.. s_sent, new SentRecord(2, 0, 0)], s_told, [.. s_found, new FoundRecord(0, 9, new SentRecord(2, 0, 0))]);

    [Fact]
    public void Check_FindsARecordNobodySent() => AssertFinds("never sent", s_sent, s_told, [.. s_found, new FoundRecord(0, 10, new SentRecord(9, 0, 0))]);

    [Fact]
    public void Check_FindsARecordInAnotherPartition() =>
        AssertFinds("lies in partition 1", s_sent, s_told[..9], [.. s_found[..9], new FoundRecord(1, 0, s_sent[9])]);

    [Fact]
    public void Check_FindsReordering() => AssertFinds(
        "lies behind",
        s_sent,
        s_told[..8],
        [.. s_found[..8], new FoundRecord(0, 8, s_sent[9]), new FoundRecord(0, 9, s_sent[8])]);

    [Fact]
    public void Check_FindsAnOffsetToldTwice() => AssertFinds(
        "was told to 2 records",
        [.. s_sent, new SentRecord(2, 0, 0)],
        [.. s_told, new AcknowledgedRecord(new SentRecord(2, 0, 0), 9)],
        s_found);

    private static void AssertFinds(string what, SentRecord[] sent, AcknowledgedRecord[] told, FoundRecord[] found) =>
        Assert.Contains(HistoryChecker.Check(sent, told, found), anomaly => anomaly.Contains(what, StringComparison.Ordinal));
}

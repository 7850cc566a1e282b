using Granary.Support.Histories;
using static Granary.Support.Histories.HistoryEventKind;

namespace Granary.Unit.Histories;

/// <summary>
/// Faults of the system, planted into an honest history as clients would see them. Each must be found. Those of consumer groups are planted in
/// <see cref="PlantedGroupFaultTests"/>.
/// </summary>
public sealed class PlantedFaultTests
{
    private const int Reader = 100;
    private const int OtherReader = 101;

    /// <summary>Ten records of producer 1, each sent, acknowledged, read by two readers, and found.</summary>
    private static List<HistoryEvent> Honest() => [.. Enumerable.Range(0, 10).SelectMany(Life), .. Enumerable.Range(0, 10).Select(number => Lies(number, Of(number)))];

    [Fact]
    public void AnHonestHistory_IsClean() => Assert.Empty(HistoryChecker.Check(Honest()));

    [Fact]
    public void ADuplicate_AfterAnInDoubtCommit()
    {
        // The commit's answer was lost; it had happened, and the retry was appended again.
        var history = Honest();
        history.Insert(History(history), new(Sent, 1_000, 1, Record: Of(10)));
        history.Insert(History(history), new(Acknowledged, 1_100, 1, Offset: 11, Record: Of(10)));
        AssertFinds("lies at offsets 10, 11", [.. history, Lies(10, Of(10)), Lies(11, Of(10))]);
    }

    [Fact]
    public void AnAppend_ByAWokenZombie()
    {
        // It had slept while another took its log over, appends where that one has appended already, and says so to its producer.
        var other = new SentRecord(2, 0, 0);
        var history = Honest();
        history.Insert(History(history), new(Sent, 1_000, 2, Record: other));
        history.Insert(History(history), new(Acknowledged, 1_100, 2, Offset: 9, Record: other));
        AssertFinds("offset 9 of partition 0 was told to 2 records", history);
        AssertFinds("was acknowledged at offset 9 and is not there", history);
    }

    [Fact]
    public void AnAppend_ByAWokenZombie_ThatWasRead()
    {
        var other = new SentRecord(2, 0, 0);
        var history = Honest();
        history.Insert(History(history), new(Sent, 1_000, 2, Record: other));
        history.Insert(History(history), new(Positioned, 1_000, OtherReader, Offset: 9));
        history.Insert(History(history), new(Read, 1_100, OtherReader, Offset: 9, Record: other));
        AssertFinds("at offset 9 of partition 0, where", history);
    }

    [Fact]
    public void AnOffset_VisibleBeforeItsPredecessor()
    {
        var history = Honest();
        var sixth = history.FindIndex(one => one.Kind == Read && one.Offset == 5);
        history.RemoveAt(sixth);
        AssertFinds("skipped from offset 4 to 6", history);
        history.Insert(History(history), new(Read, 2_000, Reader, Offset: 5, Record: Of(5)));
        AssertFinds("went back from offset 9 to 5", history);
    }

    [Fact]
    public void Retention_RacingAReader_SkipsOnlyToTheNewStart()
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == Read && one.Offset is 3 or 4);
        history.RemoveAll(one => one.Kind == Found && one.Offset < 5);
        history.RemoveAll(one => one.Kind == Read && one.Offset < 3);
        history.Insert(0, new(Positioned, 0, Reader, Offset: 3));
        history.Insert(0, new(TrimAsked, 0, 7, Offset: 5));
        history.Insert(History(history), new(Trimmed, 1_000, 7, Offset: 5));
        history.Insert(History(history), new(FoundStart, Offset: 5));
        Assert.Empty(HistoryChecker.Check(history));

        // The reader was between the log's old start and its new one, and is sent one record too far.
        history.RemoveAll(one => one.Kind == Read && one.Offset == 5);
        AssertFinds("skipped from offset 2 to 6", history);
    }

    [Fact]
    public void Retention_ThatTakesMoreThanWasAsked()
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == Found && one.Offset < 5);
        history.Insert(0, new(TrimAsked, 0, 7, Offset: 4));
        history.Insert(History(history), new(FoundStart, Offset: 5));
        AssertFinds("starts at offset 5, and nobody asked for that", history);
    }

    [Fact]
    public void Retention_ThatIsForgotten()
    {
        var history = Honest();
        history.Insert(0, new(TrimAsked, 0, 7, Offset: 4));
        history.Insert(History(history), new(Trimmed, 1_000, 7, Offset: 4));
        AssertFinds("was said to start at offset 4 and starts at 0", history);
    }

    [Fact]
    public void BelowTheStart_AnOffsetIsToldTwice()
    {
        var other = new SentRecord(2, 0, 0);
        var history = HonestAndTrimmed();
        history.Insert(History(history), new(Sent, 1_000, 2, Record: other));
        history.Insert(History(history), new(Acknowledged, 1_100, 2, Offset: 3, Record: other));
        AssertFinds($"offset 3 of partition 0 was told to 2 records: {other}, and {Of(3)} was read there", history);
        history.RemoveAll(one => one.Kind == Read && one.Offset == 3);
        AssertFinds($"offset 3 of partition 0 was told to 2 records: {other}, and {Of(3)}; it was trimmed unread", history);
    }

    [Fact]
    public void BelowTheStart_TwoReadersAreGivenDifferentRecords()
    {
        // One read what the owner had, the other what a zombie had.
        var other = new SentRecord(2, 0, 0);
        var history = HonestAndTrimmed();
        history.Insert(History(history), new(Sent, 1_000, 2, Record: other));
        history.Insert(History(history), new(Positioned, 1_000, OtherReader, Offset: 3));
        history.Insert(History(history), new(Read, 1_100, OtherReader, Offset: 3, Record: other));
        AssertFinds($"reader 101 was given {other} at offset 3 of partition 0, where {Of(3)} lies", history);
    }

    [Fact]
    public void BelowTheStart_AnAcknowledgementDiffersFromWhatWasRead()
    {
        var history = HonestAndTrimmed();
        history[history.FindIndex(one => one.Kind == Acknowledged && one.Offset == 3)] = new(Acknowledged, 350, 1, Offset: 2, Record: Of(3));
        AssertFinds($"{Of(3)} was acknowledged at offset 2 and is not there", history);
    }

    [Fact]
    public void BelowTheStart_ARecordLiesTwice()
    {
        var history = HonestAndTrimmed();
        history[history.FindIndex(one => one.Kind == Read && one.Offset == 3)] = new(Read, 360, Reader, Offset: 3, Record: Of(2));
        AssertFinds($"{Of(2)} lies at offsets 2, 3", history);
    }

    [Fact]
    public void BelowTheStart_ARecordThatFailedForGood_WasRead()
    {
        var history = HonestAndTrimmed();
        history[history.FindIndex(one => one.Kind == Acknowledged && one.Offset == 3)] = new(Failed, 350, 1, Record: Of(3));
        AssertFinds("failed for good and lies at offset 3", history);
    }

    [Fact]
    public void AReader_IsGivenARecordThatNobodySent()
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == Sent && one.Record.Number == 9);
        AssertFinds("which was never sent before that", history);
    }

    [Fact]
    public void AReader_IsGivenARecordThatIsLostLater()
    {
        var history = Honest();
        history.RemoveAll(one => one.Record.Number == 9 && one.Kind is Acknowledged or Found && one.Offset == 9);
        AssertFinds("at offset 9 of partition 0, where nothing lies", history);
    }

    [Fact]
    public void ARecord_ThatFailedForGood_IsThere()
    {
        var history = Honest();
        history[history.FindIndex(one => one.Kind == Acknowledged && one.Offset == 5)] = new(Failed, 500, 1, Record: Of(5));
        AssertFinds("failed for good and lies at offset 5", history);
    }

    [Fact]
    public void AnAcknowledgementWithoutAnOffset_IsKept()
    {
        var history = Honest();
        history[history.FindIndex(one => one.Kind == Acknowledged && one.Offset == 9)] = new(Acknowledged, 950, 1, Offset: -1, Record: Of(9));
        Assert.Empty(HistoryChecker.Check(history));
        history.RemoveAll(one => one.Kind is Found or Read && one.Offset == 9);
        AssertFinds("was acknowledged and is not there", history);
    }

    [Fact]
    public void ARecord_SentAfterAnAnswer_LiesBeforeIt()
    {
        var history = Honest();
        var late = new SentRecord(2, 0, 0);
        history[history.FindIndex(one => one.Kind == Found && one.Offset == 4)] = Lies(4, late);
        history.RemoveAll(one => one.Record == Of(4));
        history.RemoveAll(one => one.Kind == Read);
        history.Insert(History(history), new(Sent, 2_000, 2, Record: late));
        AssertFinds("was sent after offset 9 was acknowledged and lies at offset 4", history);
    }

    [Fact]
    public void AHighWatermark_GoesBack_ForOneReader()
    {
        var history = Honest();
        history.Insert(History(history), new(Watermark, 2_000, Reader, Offset: 10));
        history.Insert(History(history), new(Watermark, 2_100, Reader, Offset: 9));
        AssertFinds("went back from 10 to 9 for reader 100", history);
    }

    [Fact]
    public void AHighWatermark_GoesBack_BetweenReaders()
    {
        var history = Honest();
        history.Insert(History(history), new(Watermark, 200_000, Reader, Offset: 10));
        var concurrent = new HistoryEvent(Watermark, 300_000, OtherReader, Offset: 3, Began: 350);
        Assert.Empty(HistoryChecker.Check([.. history[..History(history)], concurrent, .. history[History(history)..]]));
        var after = concurrent with { Began = 250_000 };
        AssertFinds("went back from 10 to 3, which reader 101", [.. history[..History(history)], after, .. history[History(history)..]]);
    }

    [Fact]
    public void AHighWatermark_BehindAnAcknowledgement()
    {
        var history = Honest();
        history.Insert(History(history), new(Watermark, 300_000, OtherReader, Offset: 8, Began: 250_000));
        AssertFinds("went back from 10 to 8", history);
    }

    [Fact]
    public void AHighWatermark_BeyondTheEnd()
    {
        var history = Honest();
        history.Insert(History(history), new(Watermark, 2_000, Reader, Offset: 11));
        AssertFinds("and the log ends at 10", history);
    }

    [Fact]
    public void AHistory_IsTheSameFromItsFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"granary-history-{Guid.NewGuid():N}");
        try
        {
            using (var file = new HistoryFile(path))
            {
                file.Note("a fault,\nand its end");
                foreach (var one in Honest())
                    file.Add(one);
                file.Add(new HistoryEvent(Watermark, 0, 5, 6, 7, Began: 8));
            }

            var read = HistoryFile.Read(path).ToList();
            Assert.Equal("a fault, and its end", read[1].Text);
            Assert.Equal([.. Honest(), new HistoryEvent(Watermark, 0, 5, 6, 7, Began: 8)], read.Skip(2).Select((one, index) => one with { Time = index < Honest().Count ? Honest()[index].Time : 0 }));
            Assert.Equal(read.Select(one => one.Time).Order(), read.Select(one => one.Time));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The honest history of a log whose first five records were deleted after they were read.</summary>
    private static List<HistoryEvent> HonestAndTrimmed()
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == Found && one.Offset < 5);
        history.Insert(History(history), new(TrimAsked, 960, 7, Offset: 5));
        history.Insert(History(history), new(FoundStart, Offset: 5));
        Assert.Empty(HistoryChecker.Check(history));
        return history;
    }

    private static SentRecord Of(long number) => new(1, 0, number);

    private static HistoryEvent Lies(long offset, SentRecord record) => new(Found, Offset: offset, Record: record);

    private static IEnumerable<HistoryEvent> Life(int number) =>
    [
        new(Sent, (number * 100) + 1, 1, Record: Of(number)),
        new(Acknowledged, (number * 100) + 50, 1, Offset: number, Record: Of(number)),
        new(Read, (number * 100) + 60, Reader, Offset: number, Record: Of(number)),
    ];

    /// <summary>Where the history ends, and what was found begins.</summary>
    private static int History(List<HistoryEvent> history) => history.FindIndex(one => one.Kind is Found or FoundStart) is >= 0 and var first ? first : history.Count;

    private static void AssertFinds(string what, List<HistoryEvent> history) =>
        Assert.Contains(HistoryChecker.Check(history), anomaly => anomaly.Contains(what, StringComparison.Ordinal));
}

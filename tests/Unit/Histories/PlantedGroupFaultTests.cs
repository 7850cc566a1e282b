using Granary.Support.Histories;
using static Granary.Support.Histories.HistoryEventKind;

namespace Granary.Unit.Histories;

/// <summary>
/// Faults of consumer groups, planted into an honest history as members would see them. Each must be found, and what Kafka allows must not.
/// </summary>
public sealed class PlantedGroupFaultTests
{
    private const int Group = 1;
    private const int First = 1_000;
    private const int Second = 1_001;
    private const int Third = 1_002;

    private const long Ticks = TimeSpan.TicksPerSecond;

    [Fact]
    public void AnHonestHistory_IsClean() => Assert.Empty(Check(Honest()));

    [Fact]
    public void AnAcknowledgedCommit_IsLost()
    {
        // The coordinator moved, and the new one read an older offset.
        AssertFinds("committed offset -1 of partition 0, and before it asked offset 5 was committed", Without(Fetched, Second, [new(Fetched, At(21), Second, Offset: -1, Began: At(20), Group: Group)]));
        AssertFinds("committed offset 3 of partition 0, and before it asked offset 5 was committed", Without(Fetched, Second, [new(Fetched, At(21), Second, Offset: 3, Began: At(20), Group: Group)]));
    }

    [Fact]
    public void ACommittedOffset_ThatNobodyCommitted() =>
        AssertFinds("committed offset 4 of partition 0, which nobody did", Without(Fetched, Second, [new(Fetched, At(21), Second, Offset: 4, Began: At(20), Group: Group)]));

    [Fact]
    public void ACommittedOffset_GoesBackByItself()
    {
        // Its commit was not answered, somebody was told of it, and later it is gone.
        List<HistoryEvent> told =
        [
            new(CommitUnknown, At(30), Second, Offset: 8, Began: At(29), Group: Group),
            new(Fetched, At(32), Third, Offset: 8, Began: At(31), Group: Group),
        ];
        Assert.Empty(Check([.. Honest(), .. told]));
        AssertFinds("committed offset 5 of partition 0, and before it asked offset 8 was committed", [.. Honest(), .. told, new(Fetched, At(34), Third, Offset: 5, Began: At(33), Group: Group)]);
    }

    [Fact]
    public void ACommit_WithoutAnAnswer_MayBeThereOrNot()
    {
        HistoryEvent commit = new(CommitUnknown, At(30), Second, Offset: 8, Began: At(29), Group: Group);
        Assert.Empty(Check([.. Honest(), commit, new(Fetched, At(32), Third, Offset: 8, Began: At(31), Group: Group)]));
        Assert.Empty(Check([.. Honest(), commit, new(Fetched, At(32), Third, Offset: 5, Began: At(31), Group: Group)]));
    }

    [Fact]
    public void ACommit_ThatIsAnsweredWhileSomebodyAsks_MayBeThereOrNot()
    {
        HistoryEvent commit = new(Committed, At(33), Second, Offset: 8, Began: At(29), Group: Group);
        Assert.Empty(Check([.. Honest(), new(Fetched, At(32), Third, Offset: 8, Began: At(31), Group: Group), commit]));
        Assert.Empty(Check([.. Honest(), new(Fetched, At(32), Third, Offset: 5, Began: At(31), Group: Group), commit]));
    }

    [Fact]
    public void ACommit_OfAnOldGeneration_WinsOverANewerOnes()
    {
        // The first member's last commit was on the way when the partition was taken from it; the second has committed since.
        List<HistoryEvent> history =
        [
            .. Honest(),
            new(CommitUnknown, At(13), First, Offset: 4, Began: At(11), Group: Group),
            new(Committed, At(31), Second, Offset: 8, Began: At(30), Group: Group),
        ];
        Assert.Empty(Check([.. history, new(Fetched, At(33), Third, Offset: 8, Began: At(32), Group: Group)]));
        AssertFinds("committed offset 4 of partition 0, and before it asked offset 8 was committed", [.. history, new(Fetched, At(33), Third, Offset: 4, Began: At(32), Group: Group)]);
    }

    [Fact]
    public void ACommit_OfAMemberThatWasGivenUp_IsAcknowledged()
    {
        // It hung, lost its partition to another, woke, and commits before it has heard of it.
        var history = Without(Revoked, First, [new(Lost, At(28), First, Group: Group)]);
        Assert.Empty(Check(history));
        Assert.Empty(Check([.. history, new(CommitRefused, At(26), First, Offset: 6, Began: At(25), Group: Group)]));
        AssertFinds("member 1000 of group 1 committed offset 6 of partition 0 after another member was given it", [.. history, new(Committed, At(26), First, Offset: 6, Began: At(25), Group: Group)]);
    }

    [Fact]
    public void TwoMembers_HoldAPartition() =>
        AssertFinds("was given to member 1001 500 ms before member 1000 gave it back", Without(Revoked, First, [new(Revoked, At(19) + (Ticks / 2), First, Group: Group)]));

    [Fact]
    public void TwoMembers_HoldAPartition_WhereOneWasGivenUpAndNeverHears()
    {
        // A session timeout of 4 s and a call of 6 s are what it may take to find out by itself.
        Assert.Empty(Check(Without(Revoked, First, [new(Lost, At(29), First, Group: Group)])));
        AssertFinds("held partition 0 at the same time for 10500 ms", Without(Revoked, First, [new(Lost, At(29) + (Ticks / 2), First, Group: Group)]));
        AssertFinds("held partition 0 at the same time for 60000 ms", Without(Revoked, First, [new(Lost, At(79), First, Group: Group)]));
        AssertFinds("held partition 0 at the same time for", Without(Revoked, First, [new(Note, At(100), Text: "the end")]));
    }

    [Fact]
    public void AMember_ThatIsKilled_HoldsNothingAnyMore() => Assert.Empty(Check(Without(Revoked, First, [new(Ended, At(15), First, Group: Group)])));

    [Fact]
    public void AMember_IsGivenAPartitionTwice() =>
        AssertFinds("was given partition 0, which it held", [.. Honest(), new(Assigned, At(40), Second, Group: Group)]);

    [Fact]
    public void AMember_GivesUpWhatItDoesNotHold() =>
        AssertFinds("gave up partition 0, which it did not hold", [.. Honest(), new(Revoked, At(40), First, Group: Group)]);

    [Fact]
    public void AnAssignedPartition_IsForgotten()
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == Processed && one.Offset >= 8);
        AssertFinds("group 1 never processed offset 8 of partition 0", history);
        history.RemoveAll(one => one.Kind == Processed);
        AssertFinds("group 1 never processed offset 0 of partition 0", history);
    }

    [Fact]
    public void AMember_BeginsBehindWhatWasProcessed()
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == Processed && one.Offset == 5);
        AssertFinds("group 1 never processed offset 5 of partition 0", history);
    }

    [Fact]
    public void AMember_IsGivenAnotherRecord() => AssertFinds(
        "at offset 3 of partition 0, where",
        [.. Honest(), new(Processed, At(40), Second, Offset: 3, Record: new SentRecord(1, 0, 4), Group: Group)]);

    [Fact]
    public void Groups_AreApart()
    {
        // Another group holds the same partition, and has committed less.
        List<HistoryEvent> other =
        [
            new(Assigned, At(20), Third, Group: 2),
            new(Fetched, At(21), Third, Offset: -1, Began: At(20), Group: 2),
            .. Enumerable.Range(0, 10).Select(number => new HistoryEvent(Processed, At(22), Third, Offset: number, Record: new SentRecord(1, 0, number), Group: 2)),
        ];
        Assert.Empty(Check([.. Honest(), .. other]));
    }

    [Fact]
    public void AGroupsHistory_IsTheSameFromItsFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"granary-history-{Guid.NewGuid():N}");
        try
        {
            using (var file = new HistoryFile(path))
            {
                foreach (var one in Honest())
                    file.Add(one);
            }

            Assert.Equal(Honest().Select(one => one with { Time = 0 }), HistoryFile.Read(path).Skip(1).Select(one => one with { Time = 0 }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>
    /// Ten records; the first member processes five of them and commits, gives the partition back, and the second goes on where it was. The times are
    /// seconds: the first holds it from 10 to 18, the second from 19 on.
    /// </summary>
    private static List<HistoryEvent> Honest() =>
    [
        .. Enumerable.Range(0, 10).Select(number => new HistoryEvent(Sent, At(1), 1, Record: new SentRecord(1, 0, number))),
        .. Enumerable.Range(0, 10).Select(number => new HistoryEvent(Found, Offset: number, Record: new SentRecord(1, 0, number))),
        new(Assigned, At(10), First, Group: Group),
        new(Fetched, At(10), First, Offset: -1, Began: At(10), Group: Group),
        .. Life(First, 0, 5, 11),
        new(Committed, At(12), First, Offset: 3, Began: At(11), Group: Group),
        new(Committed, At(17), First, Offset: 5, Began: At(16), Group: Group),
        new(Revoked, At(18), First, Group: Group),
        new(Assigned, At(19), Second, Group: Group),
        new(Fetched, At(21), Second, Offset: 5, Began: At(20), Group: Group),
        .. Life(Second, 5, 5, 22),
    ];

    private static IEnumerable<HistoryEvent> Life(int member, int from, int count, int time) =>
        Enumerable.Range(from, count).Select(number => new HistoryEvent(Processed, At(time), member, Offset: number, Record: new SentRecord(1, 0, number), Group: Group));

    /// <summary>The honest history with these instead of what a member did.</summary>
    private static List<HistoryEvent> Without(HistoryEventKind kind, int member, HistoryEvent[] instead)
    {
        var history = Honest();
        history.RemoveAll(one => one.Kind == kind && one.Client == member);
        history.AddRange(instead);
        return history;
    }

    private static long At(int seconds) => seconds * Ticks;

    /// <summary>As a file has it: in the order of time.</summary>
    private static List<string> Check(IEnumerable<HistoryEvent> history) => HistoryChecker.Check([.. history.OrderBy(one => one.Time)]);

    private static void AssertFinds(string what, List<HistoryEvent> history) =>
        Assert.Contains(Check(history), anomaly => anomaly.Contains(what, StringComparison.Ordinal));
}

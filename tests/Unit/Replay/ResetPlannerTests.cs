using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Replay;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Replay;

public sealed class ResetPlannerTests(ITestOutputHelper output)
{
    private static readonly PartitionId s_partition = new(Guid.NewGuid(), 0);

    [Theory]
    [InlineData(ResetTarget.Earliest, 0, 10, ResetClamp.None)]
    [InlineData(ResetTarget.Latest, 0, 100, ResetClamp.None)]
    [InlineData(ResetTarget.Offset, 42, 42, ResetClamp.None)]
    [InlineData(ResetTarget.Offset, 9, 10, ResetClamp.ToLogStart)]
    [InlineData(ResetTarget.Offset, 101, 100, ResetClamp.ToHighWatermark)]
    [InlineData(ResetTarget.Shift, -20, 40, ResetClamp.None)]
    [InlineData(ResetTarget.Shift, long.MinValue, 10, ResetClamp.ToLogStart)]
    [InlineData(ResetTarget.Shift, long.MaxValue, 100, ResetClamp.ToHighWatermark)]
    public void Target_IsBroughtIntoTheLog(ResetTarget target, long value, long to, ResetClamp clamp)
    {
        var plan = Plan(new ResetSpec(target, value), 60);

        Assert.Equal((to, clamp, ErrorCode.None), (plan.To, plan.Clamp, plan.Error));
        Assert.Equal((Math.Max(0, 60 - to), Math.Max(0, to - 60)), (plan.Moved.RereadRecords, plan.Moved.SkippedRecords));
    }

    [Theory]
    [InlineData(30L, 30L, ResetClamp.None)]
    [InlineData(-1L, 100L, ResetClamp.ToHighWatermark)]
    public void Time_GoesToWhatWasFound_OrToTheEndWhereNothingIsSoLate(long found, long to, ResetClamp clamp)
    {
        foreach (var spec in new[] { new ResetSpec(ResetTarget.Timestamp, 5), new ResetSpec(ResetTarget.Duration, 5) })
        {
            var plan = ResetPlanner.Plan(new ResetPart(s_partition, "t", spec), 60, new LogFacts(10, 100, found), null);
            Assert.Equal((to, clamp), (plan.To, plan.Clamp));
        }
    }

    [Fact]
    public void TimeOf_Duration_IsBackFromNow_AndNotBeforeAllTime()
    {
        Assert.Equal(400, ResetPlanner.TimeOf(ResetSpec.Back(TimeSpan.FromMilliseconds(600)), 1000));
        Assert.Equal(0, ResetPlanner.TimeOf(ResetSpec.Back(TimeSpan.FromDays(1)), 1000));
        Assert.Null(ResetPlanner.TimeOf(ResetSpec.Latest, 1000));
    }

    [Fact]
    public void WithoutAPosition_ShiftIsRefused_AndOthersSayNothingOfRereads()
    {
        Assert.Equal(ErrorCode.InvalidRequest, Plan(ResetSpec.ShiftBy(1), -1).Error);
        var plan = Plan(ResetSpec.Earliest, -1);
        Assert.Equal((-1L, 10L, default(ResetDistance)), (plan.From, plan.To, plan.Moved));
    }

    [Fact]
    public void BeforeReset_GoesBackToWhatWas_AlsoToNone()
    {
        var spec = ResetSpec.Before(Guid.NewGuid());

        Assert.Equal(ErrorCode.InvalidRequest, Plan(spec, 60).Error);
        Assert.Equal(33, Plan(spec, 60, new ResetChange(s_partition, 33, 60, -1)).To);
        var none = Plan(spec, 60, new ResetChange(s_partition, -1, 60, -1));
        Assert.Equal((ErrorCode.None, -1L, default(ResetDistance)), (none.Error, none.To, none.Moved));
    }

    [Fact]
    public void RandomPlans_SayWhatALogOfThatRangeGivesToAReaderThere()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 5_000; round++)
        {
            var start = random.Next(50);
            var end = start + random.Next(50);
            var from = random.Next(0, 120);
            var spec = new ResetSpec((ResetTarget)random.Next(0, 3), random.Next(0, 120));
            if (random.Next(4) == 0)
                spec = ResetSpec.ShiftBy(random.Next(-120, 120));
            var log = new LogFacts(start, end, null);

            var plan = ResetPlanner.Plan(new ResetPart(s_partition, "t", spec), from, log, null);

            // By hand: which offsets the log has that a reader at one place gets and one at the other does not.
            var offsets = Enumerable.Range(start, end - start).ToArray();
            var reread = offsets.Count(offset => offset >= plan.To && offset < from);
            var skipped = offsets.Count(offset => offset >= from && offset < plan.To);
            Assert.InRange(plan.To, start, end);
            Assert.Equal((reread, skipped), (plan.Moved.RereadRecords, plan.Moved.SkippedRecords));
            var between = ResetPlanner.Between(plan.From, plan.To, log);
            Assert.Equal(reread + skipped, between is var (first, last) ? last - first : 0);
            var measured = between is null ? plan : ResetPlanner.WithBytes(plan, 77);
            Assert.Equal((reread > 0 ? 77 : 0, skipped > 0 ? 77 : 0), (measured.Moved.RereadBytes, measured.Moved.SkippedBytes));
        }
    }

    private static PlannedReset Plan(ResetSpec spec, long from, ResetChange? before = null) =>
        ResetPlanner.Plan(new ResetPart(s_partition, "t", spec), from, new LogFacts(10, 100, null), before);
}

using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;
using Xunit;

namespace Granary.Unit.Storage;

public sealed class FlushPlanTests
{
    private static readonly DateTime _now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly SegmentLimits _limits = new(100, TimeSpan.FromHours(1), null);

    [Fact]
    public void Build_WithSeveralBatchesOfAPartition_MovesItsHeadOnce()
    {
        var (a, b) = (Owner(2), Owner(1));
        var plan = Build(7, Append(a, 0, 1, 10, 5), Append(b, 0, 4, 20), Append(a, 1, 3, 30, 4));

        Assert.Equal([1, 2], plan.Partitions.Select(partition => partition.Owner.Id));
        Assert.Equal((0, 3), (plan.Partitions[1].ExpectedOffset, plan.Partitions[1].EndOffset));
        Assert.Equal(new ActiveSegment(7, 0, 40, 5, _now), plan.Partitions[1].After);
        Assert.Equal((60, 3), (plan.PayloadBytes, plan.BatchCount));
        Assert.Empty(plan.Closed);
    }

    [Fact]
    public void Build_WhereSegmentsFillInTheMiddle_ClosesEach()
    {
        var owner = Owner();
        var plan = Build(7, [.. Enumerable.Range(0, 5).Select(i => Append(owner, i, i + 1, 60))]);

        Assert.Equal([(0L, 1L), (1L, 2L), (2L, 3L), (3L, 4L)], plan.Closed.Select(closed => (closed.Segment.BaseOffset, closed.EndOffset)));
        Assert.Equal(4, plan.Partitions[0].After.BaseOffset);
    }

    [Fact]
    public void Build_WithASlabThatRolled_ClosesTheSegmentInTheOldOne()
    {
        var owner = Owner(1, new ActiveSegment(6, 10, 50, 3, _now), next: 20);
        var plan = Build(7, Append(owner, 20, 21, 5));

        var closed = Assert.Single(plan.Closed);
        Assert.Equal((6, 10L, 20L), (closed.Segment.SlabId, closed.Segment.BaseOffset, closed.EndOffset));
        Assert.Equal(6, plan.Partitions[0].Before.SlabId);
        Assert.Equal(new ActiveSegment(7, 20, 5, -1, _now), plan.Partitions[0].After);
    }

    [Fact]
    public void Build_WithAnOldSegment_ClosesIt()
    {
        var owner = Owner(1, new ActiveSegment(7, 10, 50, 3, _now.AddHours(-2)), next: 20);
        Assert.Single(Build(7, Append(owner, 20, 21, 5)).Closed);
    }

    [Fact]
    public void Build_WithTwoOwnersOfAPartition_KeepsTheLater()
    {
        var (old, late) = (Owner(epoch: 3), Owner(epoch: 4));
        foreach (var order in new[] { (old, late), (late, old) })
        {
            var plan = Build(7, Append(order.Item1, 0, 1, 5), Append(order.Item2, 0, 1, 5));
            Assert.Same(late, Assert.Single(plan.Partitions).Owner);
            Assert.Same(old, Assert.Single(plan.Superseded).Owner);
        }
    }

    [Fact]
    public void TryAdd_AboveTheMaximum_IsOverloadedUntilTheGapIsFilled()
    {
        var queue = new LaneQueue(new StorageOptions { MaxFlushBytes = 4096, MaxQueuedBytesPerLane = 100 });
        var owner = Owner();
        Assert.Equal(AppendOutcome.Committed, Add(queue, owner, 0, 80));
        Assert.Equal(AppendOutcome.Overloaded, Add(queue, owner, 1, 80));
        Assert.Equal(AppendOutcome.Overloaded, Add(queue, owner, 2, 1));
        Assert.True(queue.TryTake([], out _));
        Assert.Equal(AppendOutcome.Overloaded, Add(queue, owner, 2, 1));
        Assert.Equal(AppendOutcome.Committed, Add(queue, owner, 1, 80));
        Assert.Equal(AppendOutcome.NotWritten, Add(queue, owner, 7, 1));
        Assert.Equal(80, queue.Bytes);
    }

    [Fact]
    public void TryTake_GivesOneFamilyAtATimeInTurn()
    {
        var queue = new LaneQueue(new StorageOptions { MaxFlushBytes = 4096 });
        var (a, b) = (Owner(1), Owner(2));
        var week = _limits with { Retention = TimeSpan.FromDays(7) };
        Add(queue, a, 0, 3000);
        Add(queue, b, 0, 3000, week);
        Add(queue, a, 1, 3000, week); // Its order holds although its class changed.
        var taken = new List<(int, int)>();
        while (true)
        {
            var batch = new List<PendingAppend>();
            if (!queue.TryTake(batch, out var family))
                break;
            taken.AddRange(batch.Select(append => (family, append.Owner.Id)));
        }

        Assert.Equal([(0, 1), (3, 2), (0, 1)], taken);
        Assert.Equal((0, 0), (queue.Bytes, queue.Count));
    }

    private static AppendOutcome Add(LaneQueue queue, OwnedLog owner, long offset, int bytes, SegmentLimits? limits = null) =>
        queue.TryAdd(owner, new StagedBatch(offset, offset + 1, 0, new byte[bytes], limits ?? _limits), out _, out var refusal)
            ? AppendOutcome.Committed
            : refusal;

    private static OwnedLog Owner(int id = 1, ActiveSegment? active = null, long next = 0, int epoch = 0) =>
        new(new PartitionId(Guid.Empty, id), id, epoch, next, active ?? ActiveSegment.None);

    private static PendingAppend Append(OwnedLog owner, long from, long end, int bytes, long timestamp = -1) =>
        new(owner, new StagedBatch(from, end, timestamp, new byte[bytes], _limits));

    private static FlushPlan Build(int slab, params List<PendingAppend> appends)
    {
        var plan = new FlushPlan();
        plan.Build(appends, slab, _now);
        return plan;
    }
}

using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;
using Granary.Grains.Storage;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Groups;

public sealed class GroupOffsetsTests
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly GroupOptions _options = new() { OffsetsRetention = TimeSpan.FromDays(7), MaxOffsets = 2 };

    [Fact]
    public void Check_OfTooMuch_IsRefused()
    {
        var offsets = new GroupOffsets(_options, [Kept(0), Kept(1)]);

        Assert.Equal(ErrorCode.OffsetMetadataTooLarge, offsets.Check(new OffsetToCommit(Partition(0), 1, -1, new string('ü', 2049))));
        Assert.Equal(ErrorCode.None, offsets.Check(new OffsetToCommit(Partition(0), 1, -1, new string('ü', 2048))));
        Assert.Equal(ErrorCode.GroupMaxSizeReached, offsets.Check(new OffsetToCommit(Partition(2), 1, -1, "")));
    }

    [Fact]
    public void Check_OfAReset_SaysWhyNot_UnlessToldOtherwise()
    {
        var offsets = new GroupOffsets(_options, [Kept(0), Kept(1)]);
        var position = offsets.PositionOf(Partition(0));
        var reset = new OffsetReset(Guid.NewGuid(), "a", "b", EvenIfActive: false, EvenIfMoved: false, [new ResetChange(Partition(0), position, 0, -1)]);
        var stale = reset with { Changes = [new ResetChange(Partition(0), position + 1, 0, -1)] };

        Assert.Null(offsets.Check(reset, isActive: false, isWriting: false));
        Assert.Equal(ErrorCode.NonEmptyGroup, offsets.Check(reset, isActive: true, isWriting: false)!.Error);
        Assert.Null(offsets.Check(reset with { EvenIfActive = true }, isActive: true, isWriting: false));
        Assert.Equal(ResetRefusal.StalePlan, offsets.Check(stale, isActive: false, isWriting: false)!.Refusal);
        Assert.Equal(ResetRefusal.StalePlan, offsets.Check(reset, isActive: false, isWriting: true)!.Refusal);
        Assert.Null(offsets.Check(stale with { EvenIfMoved = true }, isActive: false, isWriting: true));
        var more = reset with { EvenIfMoved = true, Changes = [new ResetChange(Partition(2), -1, 5, -1)] };
        Assert.Equal(ErrorCode.GroupMaxSizeReached, offsets.Check(more, isActive: false, isWriting: false)!.Error);
    }

    [Theory]
    [InlineData(6, null, 0)]
    [InlineData(7, null, 2)]
    [InlineData(9, 3, 0)]
    [InlineData(10, 3, 2)]
    public void Expired_CountsFromTheCommitOrFromWhenTheGroupWasLeft(int daysLater, int? emptySinceDay, int expected)
    {
        var offsets = new GroupOffsets(_options, [Kept(0), Kept(1)]);

        var expired = offsets.Expired(_ => false, _ => false, emptySinceDay is { } day ? s_start.AddDays(day) : null, s_start.AddDays(daysLater));

        Assert.Equal(expected, expired.Count);
    }

    [Fact]
    public void Expired_KeepsWhatIsRead_AndForgetsWhatIsGone()
    {
        var offsets = new GroupOffsets(_options, [Kept(0), Kept(1)]);

        var expired = offsets.Expired(partition => partition.Index == 1, _ => true, null, s_start.AddDays(100));
        offsets.Apply(expired);

        Assert.Equal(1, Assert.Single(expired).Partition.Index);
        Assert.Equal(0, Assert.Single(offsets.Find([])).Partition.Index);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(-2)]
    public void PositionOf_WhereANegativeOffsetIsKept_IsNone(long offset)
    {
        var offsets = new GroupOffsets(_options, [new KeptOffset(new CommittedOffset(Partition(0), offset, -1, ""), s_start)]);
        var reset = new OffsetReset(Guid.NewGuid(), "a", "b", EvenIfActive: false, EvenIfMoved: false, [new ResetChange(Partition(0), -1, 0, -1)]);

        Assert.Equal(-1, offsets.PositionOf(Partition(0)));
        Assert.Null(offsets.Check(reset, isActive: false, isWriting: false));
    }

    private static PartitionId Partition(int index) => new(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), index);

    private static KeptOffset Kept(int index) => new(new CommittedOffset(Partition(index), 5, 0, ""), s_start);
}

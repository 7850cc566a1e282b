using Granary.Grains.Partitions;

namespace Granary.Unit.Partitions;

public sealed class PartitionLogTests
{
    [Fact]
    public void Offsets_UnderRandomSteps_StayInOrderWithoutGaps() => Seeds.Run(200, random =>
    {
        var end = random.NextInt64(0, 1_000);
        var log = new PartitionLog(3, random.NextInt64(0, end + 1), end);
        var staged = new Queue<long>();
        for (var step = 0; step < 200; step++)
        {
            switch (random.Next(4))
            {
                case 0 or 1:
                    var count = random.Next(1, 10);
                    Assert.Equal(end, log.Stage(count));
                    staged.Enqueue(end += count);
                    break;
                case 2 when staged.Count > 0:
                    var skip = random.Next(staged.Count);
                    while (skip-- > 0)
                        staged.Dequeue();
                    var committed = staged.Dequeue();
                    Assert.True(log.Commit(committed));
                    Assert.False(log.Commit(committed));
                    Assert.Equal(committed, log.HighWatermark);
                    break;
                default:
                    var start = random.NextInt64(0, log.HighWatermark + 1);
                    var former = log.LogStartOffset;
                    Assert.Equal(start > former, log.AdvanceStart(start));
                    Assert.Equal(Math.Max(start, former), log.LogStartOffset);
                    break;
            }

            Assert.True(log.LogStartOffset <= log.HighWatermark && log.HighWatermark <= log.StagedEndOffset);
            Assert.Equal(end, log.StagedEndOffset);
        }
    });

    [Fact]
    public void Unstage_OfTheLastBatch_GivesItsOffsetsAgain()
    {
        var log = new PartitionLog(0, 0, 5);
        Assert.Equal(5, log.Stage(3));
        var last = log.Stage(2);
        log.Unstage(last);
        Assert.Equal(8, log.Stage(1));
    }

    [Fact]
    public void Setters_AgainstTheInvariant_Throw()
    {
        var log = new PartitionLog(0, 2, 5);
        Assert.Throws<InvalidOperationException>(() => log.Commit(6));
        Assert.Throws<InvalidOperationException>(() => log.AdvanceStart(6));
        Assert.Throws<InvalidOperationException>(() => log.Unstage(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Stage(0));
        Assert.Throws<InvalidOperationException>(() => new PartitionLog(0, 3, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PartitionLog(-1, 0, 0));
    }
}

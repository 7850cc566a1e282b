using Granary.Abstractions.Clients;
using Xunit;

namespace Granary.Unit.Clients;

public sealed class StickyPartitionTests
{
    private const int Seed = 20_261;

    [Fact]
    public void Choose_StaysUntilABatchIsFull_ThenMoves()
    {
        var sticky = new StickyPartition(100, new Random(Seed));
        var first = sticky.Choose(6, 40);
        Assert.Equal(first, sticky.Choose(6, 40));
        Assert.Equal(first, sticky.Choose(6, 40));
        Assert.NotEqual(first, sticky.Choose(6, 40));
    }

    [Fact]
    public void Choose_ManyTimes_GivesAllPartitionsTheSame()
    {
        var sticky = new StickyPartition(10, new Random(Seed));
        var counts = new int[5];
        for (var i = 0; i < 50_000; i++)
            counts[sticky.Choose(5, 10)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_000, 11_000));
    }

    [Fact]
    public void Choose_WithOnePartition_GivesItAlways()
    {
        var sticky = new StickyPartition(1, new Random(Seed));
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Equal(0, sticky.Choose(1, 10)));
    }
}

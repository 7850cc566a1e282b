using Granary.Grains.Partitions;

namespace Granary.Unit.Partitions;

public sealed class RecentReadersTests
{
    [Fact]
    public void Note_KeepsTheLatestOfEachUpToTheMaximum()
    {
        var readers = new RecentReaders(2);
        readers.Note("a", 1, 10);
        readers.Note("b", 5, 20);
        readers.Note("a", 2, 30);
        readers.Note(null, 9, 40);
        Assert.Equal(["a", "b"], readers.Since(0).Select(one => one.ClientId));
        Assert.Equal(2, readers.Since(0)[0].Offset);

        readers.Note("c", 7, 50);
        Assert.Equal(["c", "a"], readers.Since(0).Select(one => one.ClientId));
        Assert.Equal("c", Assert.Single(readers.Since(31)).ClientId);
    }

    [Fact]
    public void Note_KeepsNothingWhereTheMaximumIsZero()
    {
        var readers = new RecentReaders(0);
        readers.Note("a", 1, 10);
        Assert.Empty(readers.Since(0));
    }
}

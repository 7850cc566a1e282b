using Granary.Grains.Partitions;

namespace Granary.Unit.Partitions;

public sealed class LeaderEpochsTests
{
    [Fact]
    public void FindEnd_AgainstEveryOffsetsEpoch_Agrees() => Seeds.Run(300, random =>
    {
        // The model: for each offset the epoch that wrote it.
        var writers = new List<int>();
        var epochs = new List<(int, long)>();
        var epoch = random.Next(3);
        for (var opening = random.Next(1, 8); opening > 0; opening--, epoch += random.Next(1, 4))
        {
            epochs.Add((epoch, writers.Count));
            for (var count = opening == 1 ? 0 : random.Next(4); count > 0; count--)
                writers.Add(epoch);
        }

        var current = epochs[^1].Item1;
        var start = random.Next(writers.Count + 1);
        var known = new LeaderEpochs(epochs, 100);
        known.TruncateStart(start);
        for (var asked = -1; asked <= current + 2; asked++)
            Assert.Equal(Model(writers, start, current, asked), known.FindEnd(asked, writers.Count));
        for (var offset = start; offset < writers.Count; offset++)
            Assert.Equal(writers[offset], known.EpochAt(offset));
    });

    [Fact]
    public void Epochs_AboveTheMaximum_KeepTheNewest()
    {
        var known = new LeaderEpochs([(1, 0), (2, 10), (3, 20)], 2);
        Assert.Equal([(2, 10L), (3, 20L)], known.All);
    }

    [Fact]
    public void Epochs_OutOfOrder_AreRefused() =>
        Assert.Throws<ArgumentException>(() => new LeaderEpochs([(2, 10), (1, 20)], 10));

    private static (int, long) Model(List<int> writers, int start, int current, int asked)
    {
        if (asked < 0 || asked > current)
            return (-1, -1);
        if (asked == current)
            return (current, writers.Count);
        var live = writers.Skip(start).ToList();
        var floor = live.Where(epoch => epoch <= asked).DefaultIfEmpty(asked).Max();
        var above = live.FindIndex(epoch => epoch > asked);
        return (floor, above < 0 ? writers.Count : start + above);
    }
}

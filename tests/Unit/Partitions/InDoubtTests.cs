using Granary.Grains.Partitions;

namespace Granary.Unit.Partitions;

public sealed class InDoubtTests
{
    [Theory]
    [InlineData(100, true)]
    [InlineData(109, true)]
    [InlineData(110, false)]
    [InlineData(120, false)]
    public void Decide_WhereTheEpochsRunIsKnown_GoesByItsEnd(long baseOffset, bool isThere)
    {
        // Epoch 4 wrote up to 110; somebody else, at 6, wrote over what it had staged; this is 7.
        var epochs = new LeaderEpochs([(3, 0), (4, 100), (6, 110), (7, 130)], 10);
        Assert.Equal(isThere ? InDoubtVerdict.Committed : InDoubtVerdict.NotWritten, InDoubt.Decide(4, baseOffset, new PartitionLog(7, 50, 130), epochs));
    }

    [Fact]
    public void Decide_WhereTheEpochWroteNothing_IsNotWritten()
    {
        var epochs = new LeaderEpochs([(3, 0), (5, 100)], 10);
        Assert.Equal(InDoubtVerdict.NotWritten, InDoubt.Decide(4, 100, new PartitionLog(5, 0, 100), epochs));
    }

    [Fact]
    public void Decide_WhereItsPartOfTheLogIsGone_IsUnknown()
    {
        var epochs = new LeaderEpochs([(3, 0), (4, 100), (6, 110)], 10);
        epochs.TruncateStart(110);
        Assert.Equal(InDoubtVerdict.Unknown, InDoubt.Decide(4, 100, new PartitionLog(6, 110, 110), epochs));
    }
}

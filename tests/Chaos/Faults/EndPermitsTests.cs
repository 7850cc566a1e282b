using Granary.Support.Time;

namespace Granary.Chaos.Faults;

public sealed class EndPermitsTests
{
    private readonly FakeClock _time = new();
    private readonly EndPermits _permits;

    public EndPermitsTests() => _permits = new EndPermits(2, _time);

    [Fact]
    public void NobodyMayEnd_AtFirst() => Assert.False(MayEnd(0));

    [Fact]
    public void Open_IsForThatSilo_UntilItIsClosed()
    {
        _permits.Open(0);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(MayEnd(0));
        Assert.False(MayEnd(1));

        _permits.Close(0);
        Assert.False(MayEnd(0));
    }

    [Fact]
    public void CloseAfterVote_LeavesTimeForAVoteThatIsOnItsWay()
    {
        _permits.Open(0);
        _permits.CloseAfterVote(0, _permits.TurnOf(0));

        _time.Advance(EndPermits.VoteOnItsWay);
        Assert.True(MayEnd(0));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(MayEnd(0));
    }

    [Fact]
    public void CloseAfterVote_OfAnEarlierTurn_EndsNoLaterPermit()
    {
        _permits.Open(0);
        var first = _permits.TurnOf(0);
        _permits.Open(0);
        _permits.CloseAfterVote(0, first);

        _time.Advance(TimeSpan.FromHours(1));
        Assert.True(MayEnd(0));
    }

    [Fact]
    public void CloseAfterVote_OfAnEarlierTurn_PermitsNothingAnew()
    {
        _permits.Open(0);
        var first = _permits.TurnOf(0);
        _permits.Close(0);
        _permits.CloseAfterVote(0, first);

        Assert.False(MayEnd(0));
    }

    private bool MayEnd(int silo) => _permits.WasOpen(silo, _time.GetTimestamp());
}

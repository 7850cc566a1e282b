using System.Net;
using Granary.Silo.Clustering;
using Granary.Support.Time;
using Orleans.Runtime;

namespace Granary.Unit.Silo;

public sealed class DeathVotesTests
{
    private static readonly SiloAddress s_other = SiloAddress.New(IPAddress.Loopback, 11111, 1);
    private static readonly TimeSpan s_probe = TimeSpan.FromMilliseconds(500);

    private readonly FakeClock _clock = new();
    private readonly DeathVotes _votes;

    public DeathVotesTests() => _votes = new DeathVotes(_clock);

    [Fact]
    public void May_AgainstASiloKnownForLong_IsTrueAtOnce()
    {
        Know();
        Assert.True(_votes.May(s_other, steady: true));
    }

    [Fact]
    public void May_AgainstANewSilo_WaitsUntilItIsKnown()
    {
        _votes.Meet([s_other]);
        Assert.Equal(DeathVotes.Acquaintance, SilentUntilVotedFor(steady: true));
    }

    [Fact]
    public void May_OfASiloThatIsLateItself_WaitsItsPatience()
    {
        Know();
        Assert.Equal(DeathVotes.Patience, SilentUntilVotedFor(steady: false));
    }

    [Fact]
    public void May_AfterAnAnswerBetween_BeginsToWaitAnew()
    {
        Know();
        Assert.False(_votes.May(s_other, steady: false));
        _clock.Advance(DeathVotes.Patience);
        Assert.False(_votes.May(s_other, steady: false));
    }

    [Fact]
    public void BeCertain_IsRememberedForThatSilo()
    {
        _votes.Meet([s_other]);
        Assert.False(_votes.IsCertain(s_other));
        _votes.BeCertain(s_other);
        Assert.True(_votes.IsCertain(s_other));
    }

    [Fact]
    public void Meet_ForgetsWhoIsNoMember()
    {
        Know();
        _votes.BeCertain(s_other);
        _votes.Meet([]);
        _votes.Meet([s_other]);
        Assert.Equal((false, false), (_votes.IsCertain(s_other), _votes.May(s_other, steady: true)));
    }

    [Fact]
    public void Pulse_OfAProcessThatStarts_IsSteadyAfterAWhileOfEvenBeats()
    {
        using var pulse = new Pulse(_clock);
        Assert.False(pulse.IsSteady);
        BeatFor(pulse, Pulse.Memory);
        Assert.True(pulse.IsSteady);
        Assert.True(pulse.CheckHealth(default, out _));
    }

    [Fact]
    public void Pulse_WhoseBeatIsLate_IsNotSteadyUntilThatIsLongAgo()
    {
        using var pulse = new Pulse(_clock);
        BeatFor(pulse, Pulse.Memory);
        _clock.Advance(Pulse.Interval + Pulse.Tolerance + TimeSpan.FromMilliseconds(1));
        Assert.False(pulse.IsSteady);
        BeatFor(pulse, Pulse.Memory - Pulse.Interval);
        Assert.False(pulse.CheckHealth(default, out var reason));
        Assert.Contains("250 ms late", reason, StringComparison.Ordinal);
        BeatFor(pulse, Pulse.Interval);
        Assert.True(pulse.IsSteady);
    }

    private void Know()
    {
        _votes.Meet([s_other]);
        _clock.Advance(DeathVotes.Acquaintance);
    }

    /// <summary>How long its probes fail, one after the other, before a vote is let through.</summary>
    private TimeSpan SilentUntilVotedFor(bool steady)
    {
        var from = _clock.GetTimestamp();
        while (!_votes.May(s_other, steady))
            _clock.Advance(s_probe);
        return _clock.GetElapsedTime(from);
    }

    private void BeatFor(Pulse pulse, TimeSpan duration)
    {
        pulse.Beat();
        for (var passed = TimeSpan.Zero; passed < duration; passed += Pulse.Interval)
        {
            _clock.Advance(Pulse.Interval);
            pulse.Beat();
        }
    }
}

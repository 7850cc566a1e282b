namespace Granary.Chaos.Faults;

/// <summary>
/// Until when the others may declare each silo dead. Times are timestamps of the given clock. What is closed in one turn does not end a permit that was
/// given in a later one. Safe for many threads.
/// </summary>
internal sealed class EndPermits(int silos, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Permit[] _permits = [.. Enumerable.Repeat(new Permit(0, long.MinValue), silos)];

    /// <summary>A vote that was under way when a silo answered again: so long after it was found well and a member it may still be ended.</summary>
    public static TimeSpan VoteOnItsWay { get; } = TimeSpan.FromSeconds(3);

    /// <summary>From now on, until it is closed.</summary>
    public void Open(int silo) => Give(silo, long.MaxValue);

    /// <summary>At once: it is another process.</summary>
    public void Close(int silo) => Give(silo, long.MinValue);

    /// <summary>Which permit it is that the silo has; for <see cref="CloseAfterVote"/>.</summary>
    public int TurnOf(int silo)
    {
        lock (_gate)
            return _permits[silo].Turn;
    }

    /// <summary>It was found well: closed after <see cref="VoteOnItsWay"/>, unless the silo was given or refused another permit since that turn.</summary>
    public void CloseAfterVote(int silo, int turn)
    {
        var until = time.GetTimestamp() + (long)(VoteOnItsWay.TotalSeconds * time.TimestampFrequency);
        lock (_gate)
        {
            if (_permits[silo].Turn == turn)
                _permits[silo] = new Permit(turn, until);
        }
    }

    /// <summary>Whether the silo might be ended at that time. What came before a permit is not told from what came in it: ends are judged as they happen.</summary>
    public bool WasOpen(int silo, long timestamp)
    {
        lock (_gate)
            return timestamp <= _permits[silo].Until;
    }

    private void Give(int silo, long until)
    {
        lock (_gate)
            _permits[silo] = new Permit(_permits[silo].Turn + 1, until);
    }

    /// <param name="Turn">Grows with each that is given or taken.</param>
    /// <param name="Until">Ends until then are allowed.</param>
    private readonly record struct Permit(int Turn, long Until);
}

namespace Granary.Grains.Storage;

/// <summary>Which session has the keeper's lock. <paramref name="LastDid"/>: when it began or ended a statement last; null where PostgreSQL does not show it.</summary>
internal readonly record struct LockHolder(int ProcessId, string Client, DateTime? LastDid);

/// <summary>
/// Notices that the keeper's lock lies with a session that does nothing. That others have it is usual: their runs may fall together with ours for hours. A run
/// that goes on shows by the statements it begins and ends.
/// </summary>
internal sealed class StuckKeeper
{
    /// <summary>How long a session may have the lock without doing anything, and how often that is told.</summary>
    public static readonly TimeSpan After = TimeSpan.FromMinutes(10);

    private LockHolder? _holder;
    private DateTimeOffset _since;
    private DateTimeOffset _told;

    /// <summary>We had the lock.</summary>
    public void Ran() => _holder = null;

    /// <summary>The lock was not to be had. Answers for how long its holder has done nothing, where that is to be told now.</summary>
    /// <param name="holder">Null: it has ended its run meanwhile.</param>
    public TimeSpan? Missed(LockHolder? holder, DateTimeOffset now)
    {
        if (holder is null || holder != _holder)
        {
            (_holder, _since, _told) = (holder, now, now);
            return null;
        }

        if (now - _told < After)
            return null;
        _told = now;
        return now - _since;
    }
}

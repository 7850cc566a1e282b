namespace Granary.Abstractions.Clients;

/// <summary>A clock that only goes forward, for deadlines: the time since it was made.</summary>
internal sealed class ClientClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeProvider Provider => time;

    public TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>A timer that is not running yet; see <see cref="Arm"/>.</summary>
    public ITimer CreateTimer(Action callback) =>
        time.CreateTimer(static state => ((Action)state!)(), callback, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Lets the timer fire once, at that time.</summary>
    public void Arm(ITimer timer, TimeSpan at)
    {
        // Timers count whole milliseconds and cut off the rest: one that fires early would find nothing due.
        var due = Math.Ceiling((at - Now).TotalMilliseconds);
        timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, due)), Timeout.InfiniteTimeSpan);
    }
}

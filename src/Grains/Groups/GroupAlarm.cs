namespace Granary.Grains.Groups;

/// <summary>Wakes a group's grain when its machine has something to do; while it is set the grain is kept.</summary>
internal sealed class GroupAlarm(IGrainBase grain, GroupParts parts, Func<Task> ring)
{
    // While a group has members its grain is kept by its timer, which rings at least so often.
    private static readonly TimeSpan s_longestSleep = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromSeconds(1);

    private IGrainTimer? _timer;

    /// <param name="at">By <see cref="GroupParts.Now"/>; <see cref="TimeSpan.MaxValue"/>: never.</param>
    public void Set(TimeSpan at)
    {
        if (at == TimeSpan.MaxValue)
        {
            // Members that wait are bounded by the group's own deadlines; without any there is nothing to wake for.
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var due = at - parts.Now;
        due = due < TimeSpan.Zero ? TimeSpan.Zero : due > s_longestSleep ? s_longestSleep : due;
        if (_timer is null)
            _timer = grain.RegisterGrainTimer(_ => RingAsync(), new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        else
            _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private async Task RingAsync()
    {
        try
        {
            await ring();
        }
        catch
        {
            // Orleans logs it; the group is looked at again all the same.
            Set(parts.Now + s_pauseAfterFailure);
            throw;
        }
    }
}

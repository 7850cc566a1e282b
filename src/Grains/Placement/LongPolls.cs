using Microsoft.Extensions.Hosting;

namespace Granary.Grains.Placement;

/// <summary>
/// Waiting inside a grain's call. Orleans stops a silo only when its grains' calls have ended, and a grain that waits to be deactivated takes no
/// others: a poll that stays for its whole time would hold up the stop of the silo, and whoever needs the grain.
/// </summary>
public sealed class LongPolls(IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>While the silo hands its partitions over, pollers come again: not at once, for they are many, and not for long.</summary>
    private static readonly TimeSpan s_waitWhileStopping = TimeSpan.FromMilliseconds(200);

    /// <summary>Returns when it has happened, when the time is over, when the caller gives up, or when this silo is asked to stop. Never throws.</summary>
    public async Task AwaitAsync(Task happening, TimeSpan maxWait, CancellationToken cancellation)
    {
        var stopping = lifetime.ApplicationStopping;
        var isStopping = stopping.IsCancellationRequested;
        var wait = isStopping && maxWait > s_waitWhileStopping ? s_waitWhileStopping : maxWait;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation, isStopping ? CancellationToken.None : stopping);
        await happening.WaitAsync(wait, time, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }
}

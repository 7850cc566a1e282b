using System.Diagnostics;

namespace Granary.Chaos.Faults;

/// <summary>
/// Notices when this machine gives a process no processor for a while: a timer of this process comes late. Silos may then take one
/// another for dead, and are right by their settings.
/// </summary>
internal sealed class StallWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_stall = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private long _last;
    private int _stalls;

    // A thread of its own: the pool's threads may be busy with this test's own work.
    public StallWatch() => _watching = Task.Factory.StartNew(Watch, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public int Stalls => _stalls;

    /// <summary>Whether there was one since then.</summary>
    public bool HasStalledWithin(TimeSpan time) => Volatile.Read(ref _last) is not 0 and var last && Stopwatch.GetElapsedTime(last) < time;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private void Watch()
    {
        var before = Stopwatch.GetTimestamp();
        while (!_stop.Token.WaitHandle.WaitOne(s_tick))
        {
            if (Stopwatch.GetElapsedTime(before) > s_stall)
            {
                Volatile.Write(ref _last, Stopwatch.GetTimestamp());
                _stalls++;
            }

            before = Stopwatch.GetTimestamp();
        }
    }
}

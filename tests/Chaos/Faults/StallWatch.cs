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
    private readonly Lock _gate = new();
    private readonly List<(long Began, long Ended)> _stalls = [];
    private readonly Task _watching;

    // A thread of its own: the pool's threads may be busy with this test's own work.
    public StallWatch() => _watching = Task.Factory.StartNew(Watch, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public int Stalls
    {
        get
        {
            lock (_gate)
                return _stalls.Count;
        }
    }

    /// <summary>The longest one that overlaps these times (of <see cref="Stopwatch.GetTimestamp"/>); zero: none does.</summary>
    public TimeSpan LongestBetween(long since, long until)
    {
        lock (_gate)
            return _stalls.Where(stall => stall.Ended >= since && stall.Began <= until).Select(stall => Stopwatch.GetElapsedTime(stall.Began, stall.Ended)).DefaultIfEmpty().Max();
    }

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
            var now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(before, now) > s_stall)
            {
                lock (_gate)
                    _stalls.Add((before, now));
            }

            before = now;
        }
    }
}

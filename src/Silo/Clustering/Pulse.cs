using System.Diagnostics.CodeAnalysis;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Whether this process's own work goes on evenly: a beat that is wanted every 50 ms, and that comes late when the machine, the runtime or the thread
/// pool has no time for this silo. Who is late itself takes others for late: such a silo is a bad judge, and a bad witness for Orleans' indirect probes.
/// Safe for many threads.
/// </summary>
internal sealed class Pulse(TimeProvider time) : BackgroundService, IHealthCheckParticipant
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>A beat that comes so much too late is one that was missed: half of the time that a probe is given.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(250);

    /// <summary>So long after a missed beat what this silo has seen of others is not believed: longer than three probes take.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(3);

    private long _beat = time.GetTimestamp();

    /// <summary>A process that starts has everything to compile: it begins as one that has just been late.</summary>
    private long _missed = time.GetTimestamp();

    /// <summary>No beat was missed lately.</summary>
    public bool IsSteady => !IsLate(time.GetTimestamp()) && time.GetElapsedTime(Volatile.Read(ref _missed)) >= Memory;

    /// <summary>Notes that the silo works.</summary>
    public void Beat()
    {
        var now = time.GetTimestamp();
        if (IsLate(now))
            Volatile.Write(ref _missed, now);
        Volatile.Write(ref _beat, now);
    }

    public bool CheckHealth(DateTime lastCheckTime, [NotNullWhen(false)] out string? reason)
    {
        reason = IsSteady ? null : $"this silo was more than {Tolerance.TotalMilliseconds:0} ms late itself within the last {Memory.TotalSeconds:0} s";
        return reason is null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Beat();
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool IsLate(long now) => time.GetElapsedTime(Volatile.Read(ref _beat), now) > Interval + Tolerance;
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Messaging;

namespace Granary.Gateway.Edge;

/// <summary>
/// Reads the list of silos from the database, as Orleans' client does, but often: a silo that is no longer there was lost or has stopped, and
/// the calls that lie on it are given up. So are, a little later, those that Orleans' client led over it once more before it had read the list itself:
/// a silo that hangs takes them without a word.
/// </summary>
internal sealed class SiloWatch(IGatewayListProvider silos, CallsInFlight calls, TimeProvider time, ILogger<SiloWatch> log) : BackgroundService
{
    /// <summary>One small query of an index; what it adds to the silos' own time to notice a death.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    /// <summary>How often Orleans' client reads the list; it leaves a silo that is no longer there by then.</summary>
    public static TimeSpan ClientInterval { get; } = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        IReadOnlySet<Uri> known = new HashSet<Uri>();
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                known = await LookAsync(known);
        }
        catch (OperationCanceledException)
        {
            // The gateway stops.
        }
    }

    private async Task<IReadOnlySet<Uri>> LookAsync(IReadOnlySet<Uri> known)
    {
        HashSet<Uri> now;
        try
        {
            now = [.. await silos.GetGateways()];
        }
        catch (Exception)
        {
            // PostgreSQL is away. That says nothing about silos; what is known stays known.
            return known;
        }

        var gone = known.Except(now).ToList();
        if (gone.Count > 0)
        {
            log.SilosChanged(now.Count, string.Join(", ", gone.Select(silo => silo.Authority)));
            // Not waited for: the next silo may be lost within the time that these calls are given.
            _ = GiveUpAsync();
        }

        return now;
    }

    private async Task GiveUpAsync()
    {
        await calls.SiloLostAsync();
        await Task.Delay(2 * ClientInterval, time);
        await calls.SiloLostAsync();
    }
}

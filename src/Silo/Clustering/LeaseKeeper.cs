using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Npgsql;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Keeps the silo's lease as long as PostgreSQL says that it is a member; without PostgreSQL it ends, and with it what could be written anyway.
/// A silo that finds itself declared dead ends its process. Whatever else goes wrong, it asks again.
/// </summary>
internal sealed class LeaseKeeper(
    NpgsqlDataSource source, SiloStanding standing, SiloLease lease, TimeProvider time, IFatalErrorHandler fatal, ClusteringDiagnostics diagnostics)
    : BackgroundService
{
    private const int Active = 3;
    private const int Dead = 6;

    /// <summary>Below the time in which others can declare a silo dead that hangs.</summary>
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    private bool _isUnanswered;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        lease.Begin();
        await KeepAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await KeepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops: what it has left is fenced by whoever opens it.
        }
    }

    private async Task KeepAsync(CancellationToken cancellation)
    {
        var now = time.GetTimestamp();
        try
        {
            switch (await StatusAsync(cancellation))
            {
                case Active:
                    lease.Extend(now, s_duration);
                    break;
                case Dead:
                    fatal.OnFatalException(this, "This silo was declared dead while it hung or was cut off; its partitions live elsewhere. Start it again.", null);
                    break;
            }

            if (_isUnanswered)
                diagnostics.LeaseKeptAgain();
            _isUnanswered = false;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            // The lease runs out by itself.
            if (!_isUnanswered)
                diagnostics.LeaseNotKept(PostgresAway.Explains(failure) ? null : failure, failure.Message);
            _isUnanswered = true;
        }
    }

    private async Task<int?> StatusAsync(CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            "SELECT status FROM orleansmembershiptable WHERE deploymentid = $1 AND address = $2 AND port = $3 AND generation = $4");
        command.Parameters.AddWithValue(standing.ClusterId);
        command.Parameters.AddWithValue(standing.Address);
        command.Parameters.AddWithValue(standing.Port);
        command.Parameters.AddWithValue(standing.Generation);
        return (int?)await command.ExecuteScalarAsync(cancellation);
    }
}

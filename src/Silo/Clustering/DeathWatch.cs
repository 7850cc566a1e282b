using System.Diagnostics;
using Granary.Abstractions.Cluster;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Npgsql;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Notices within a fraction of a second that a silo's process has died: every silo holds a session lock by its name (<see cref="SiloClaim"/>), and
/// looks after that of the next silo in the ring, at short intervals and at once when Orleans' connection to it ends. PostgreSQL frees it the moment
/// that the dead process's connection closes. Since a living silo loses its lock too when PostgreSQL restarts, a second sign is wanted: its port
/// refuses connections. Everything else is left to Orleans' probes.
/// It asks again and again instead of waiting for the lock: whoever waits in PostgreSQL holds a snapshot, and as long as one is held, no version of any
/// row that came after it is ever cleaned up.
/// </summary>
internal sealed class DeathWatch(
    string connectionString,
    string clusterId,
    IClusterMembershipService membership,
    ILocalSiloDetails local,
    ClusterMapSource maps,
    PeerConnections connections,
    DeathVotes votes,
    ClusterJournal journal,
    ClusteringDiagnostics diagnostics) : BackgroundService
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    /// <summary>One small question to PostgreSQL each.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    /// <summary>After a connection to the silo has ended, which PostgreSQL may see a little later than Orleans.</summary>
    private static readonly TimeSpan s_alarmedInterval = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan s_alarmLasts = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_connectLimit = TimeSpan.FromMilliseconds(300);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CancellationTokenSource? watching = null;
        var watched = default(SiloAddress);
        var watch = Task.CompletedTask;
        try
        {
            for (var map = maps.Map; ; map = await maps.NextAsync(map.Fingerprint, stoppingToken))
            {
                var next = NextInRing(map);
                if (Equals(next?.Silo, watched))
                    continue;
                if (watching is not null)
                    await watching.CancelAsync();
                await watch;
                watched = next?.Silo;
                watching = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                if (next is not null)
                    watch = WatchAsync(next.Silo, next.Name, watching.Token);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    /// <summary>The member with the next higher address, or the lowest one; null where this one is alone. Silos of services hold no locks.</summary>
    private SiloMember? NextInRing(ClusterMap map)
    {
        var others = map.Members.Where(member => !member.Silo.Equals(local.SiloAddress)).OrderBy(member => member.Silo).ToArray();
        return others.FirstOrDefault(member => member.Silo.CompareTo(local.SiloAddress) > 0) ?? others.FirstOrDefault();
    }

    private async Task WatchAsync(SiloAddress silo, string siloName, CancellationToken cancellation)
    {
        // The first wait may begin before the new silo has joined in full.
        var isSuspected = false;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await LockIsFreeAsync(silo, siloName, () => isSuspected = false, cancellation);
                if (!isSuspected && membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Active)
                {
                    Tell(HappeningKind.SiloSuspected, silo, siloName, "its session in PostgreSQL has ended");
                    isSuspected = true;
                }

                if (await PortProbe.RefusesAsync(silo.Endpoint, s_connectLimit, cancellation))
                {
                    diagnostics.DeclaredDead(silo);
                    if (membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Active)
                        Tell(HappeningKind.SiloDead, silo, siloName, "it refuses connections");
                    votes.BeCertain(silo);
                    await membership.TryKill(silo);
                }
            }
            catch (Exception away) when (PostgresAway.Explains(away))
            {
                diagnostics.WatchEnded(silo, away.Message);
            }
            catch (Exception defect) when (!cancellation.IsCancellationRequested)
            {
                diagnostics.Defect(defect, "The watch over another silo");
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(s_pause, journal.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Tell(HappeningKind kind, SiloAddress silo, string siloName, string cause) =>
        journal.Tell(new ClusterHappening { Kind = kind, Silo = silo, SiloName = siloName, Cause = cause });

    /// <summary>Returns when nobody holds the lock of that name any more, which may take for ever.</summary>
    private async Task LockIsFreeAsync(SiloAddress silo, string siloName, Action isHeld, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellation);
        var alarmedUntil = TimeSpan.Zero;
        while (true)
        {
            var lost = connections.NextLossAsync(silo.Endpoint);
            if (await SiloClaim.IsFreeAsync(connection, clusterId, siloName, cancellation))
                return;
            isHeld();
            var now = Stopwatch.GetElapsedTime(0);
            if (now < alarmedUntil)
                await Task.Delay(s_alarmedInterval, cancellation);
            else if (await Task.WhenAny(lost, Task.Delay(s_interval, cancellation)) == lost)
                alarmedUntil = now + s_interval + s_alarmLasts;
            cancellation.ThrowIfCancellationRequested();
        }
    }
}

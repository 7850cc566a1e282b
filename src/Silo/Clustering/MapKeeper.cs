using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Granary.Grains.Placement;
using Npgsql;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Publishes the cluster's map: the silos that Orleans' membership calls active, with what their rows say of them. A silo that is no longer
/// active leaves the map at once, whether PostgreSQL answers or not; one whose row is not there yet waits for it.
/// </summary>
internal sealed class MapKeeper(
    IClusterMembershipService membership,
    MemberRows rows,
    ClusterMapSource maps,
    TimeProvider time,
    ClusteringDiagnostics diagnostics) : BackgroundService
{
    /// <summary>A peer that registers tells the others; this is for what got lost on the way.</summary>
    private static readonly TimeSpan s_missingInterval = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile ImmutableDictionary<SiloAddress, SiloMember> _known = ImmutableDictionary<SiloAddress, SiloMember>.Empty;

    /// <summary>Reads the members' rows anew and publishes what follows.</summary>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            _known = await rows.ReadAsync(cancellation);
        }
        finally
        {
            _reading.Release();
        }

        Publish();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var asking = AskForMissingAsync(stoppingToken);
            await foreach (var _ in membership.MembershipUpdates.WithCancellation(stoppingToken))
                Publish();
            await asking;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private IEnumerable<SiloAddress> Active => membership.CurrentSnapshot.Members.Values
        .Where(member => member.Status == SiloStatus.Active)
        .Select(member => member.SiloAddress);

    private void Publish()
    {
        var former = maps.Map;
        var map = new ClusterMap(Active.Select(_known.GetValueOrDefault).OfType<SiloMember>());
        maps.Publish(map);
        if (former.Fingerprint != map.Fingerprint)
            diagnostics.NewMap(map.ToString());
    }

    private async Task AskForMissingAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_missingInterval, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (Active.All(_known.ContainsKey))
                continue;
            try
            {
                await RefreshAsync(cancellation);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                diagnostics.RowsUnreadable(failure.Message);
            }
        }
    }
}

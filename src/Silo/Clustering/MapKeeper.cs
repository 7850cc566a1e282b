using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Publishes the cluster's map: the silos that Orleans' membership calls active, with what their rows say of them. A silo that is no longer
/// active leaves the map at once, whether PostgreSQL answers or not; one whose row is not there yet waits for it. Silos of services have none.
/// </summary>
internal sealed class MapKeeper(
    IClusterMembershipService membership,
    MemberRows rows,
    ClusterMapSource maps,
    ClusterJournal journal,
    ForeignSilos foreign,
    ClusteringDiagnostics diagnostics) : BackgroundService
{
    /// <summary>A peer that registers tells the others; this is for what got lost on the way.</summary>
    private static readonly TimeSpan s_missingInterval = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly Lock _publishing = new();
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
                TryPublish();
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

    private void TryPublish()
    {
        try
        {
            Publish();
        }
        catch (Exception defect)
        {
            diagnostics.Defect(defect, "Following the members");
        }
    }

    private void Publish()
    {
        // Together: a map that was made earlier must not follow one that was made later.
        lock (_publishing)
        {
            var map = new ClusterMap(Active.Select(_known.GetValueOrDefault).OfType<SiloMember>());
            if (maps.Publish(map) is { } former)
                TellChange(former, map);
        }
    }

    private void TellChange(ClusterMap former, ClusterMap map)
    {
        diagnostics.NewMap(map.ToString());
        foreach (var member in map.Members)
        {
            if (former.Find(member.Silo) is not { } before)
                Tell(HappeningKind.SiloJoined, member);
            else if (member.IsDraining && !before.IsDraining)
                Tell(HappeningKind.SiloDraining, member);
        }

        foreach (var member in former.Members.Where(member => map.Find(member.Silo) is null))
            Tell(member.IsDraining || membership.CurrentSnapshot.GetSiloStatus(member.Silo) != SiloStatus.Dead ? HappeningKind.SiloLeft : HappeningKind.SiloDead, member);
    }

    private void Tell(HappeningKind kind, SiloMember member) =>
        journal.Tell(new ClusterHappening { Kind = kind, Silo = member.Silo, SiloName = member.Name });

    private async Task AskForMissingAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_missingInterval, journal.Time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            try
            {
                if (!Active.All(silo => _known.ContainsKey(silo) || foreign.Contains(silo)))
                    await RefreshAsync(cancellation);
            }
            catch (Exception away) when (PostgresAway.Explains(away))
            {
                diagnostics.RowsUnreadable(away.Message);
            }
            catch (Exception defect) when (!cancellation.IsCancellationRequested)
            {
                diagnostics.Defect(defect, "Reading the members' rows");
            }
        }
    }
}

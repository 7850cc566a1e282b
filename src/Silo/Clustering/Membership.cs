using Granary.Abstractions.Cluster;
using Granary.Gateway.Kafka;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Enters this silo among the members when all of it is up, and takes it out before anything of it stops: partitions come only to a silo whose
/// listeners listen, and which has practised, and leave while they still do, as groups do. Start it last. It leaves before anything else is
/// stopped, the web server too: that one waits for requests under way, and what it waits is taken from the time that there is for all.
/// </summary>
internal sealed class Membership(
    MemberRows rows,
    MapKeeper maps,
    IEnumerable<ISiloMover> movers,
    PlacementParts placement,
    KafkaListener listener,
    Peers peers) : IHostedLifecycleService
{
    private static readonly TimeSpan s_drainLimit = TimeSpan.FromSeconds(20);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await peers.RehearseAsync(cancellationToken);
        var endpoints = listener.Doors.Select(door => new MemberEndpoint(door.Name, door.Host, door.Port));
        await rows.RegisterAsync(placement.LocalName, placement.LocalSilo, endpoints, cancellationToken);
        await maps.RefreshAsync(cancellationToken);
        await peers.TellAsync();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await rows.DrainAsync(placement.LocalSilo, cancellationToken);
            await Task.WhenAll(peers.TellAsync(), maps.RefreshAsync(cancellationToken));
        }
        catch (Exception failure) when (PostgresAway.Explains(failure) || failure is OperationCanceledException)
        {
            // Without PostgreSQL nobody could take the partitions over.
            peers.Diagnostics.DrainUntold(failure.Message);
            return;
        }

        peers.Diagnostics.Draining(placement.Hosted.Count);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_drainLimit);
        try
        {
            await Task.WhenAll(movers.Select(mover => mover.EmptyAsync(limit.Token)));
        }
        catch (OperationCanceledException)
        {
            peers.Diagnostics.NotDrained(placement.Hosted.Count);
        }
    }
}

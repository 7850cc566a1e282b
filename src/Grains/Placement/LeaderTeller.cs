using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

/// <summary>
/// Tells every other silo which partitions are open here, and under which leader epoch: a new member of all, and then of each that is opened. So all
/// gateways name the same leader with the same epoch, and a client that hears an older answer later knows it by its epoch and passes it over. Without
/// that a leader can seem to go to and fro within a millisecond, which librdkafka (2.x) does not survive: the partition stays with the wrong broker.
/// Start it before what lets clients in: it asks the others first.
/// </summary>
public sealed class LeaderTeller(
    ClusterMapSource maps,
    KnownLeaders known,
    TopicDirectory topics,
    IGrainFactory grains,
    PlacementParts parts,
    MembersRefresh refresh) : BackgroundService
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<SiloAddress, (LeaderNews News, CancellationTokenSource Gone, Task Telling)> _peers = [];
    private readonly Lock _lock = new();

    /// <summary>Returns when each member has been asked for its partitions, or did not answer in time: it tells them by itself then.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        parts.Hosted.Opened += Tell;
        try
        {
            await refresh();
            await Task.WhenAll(maps.Map.Members.Where(member => !member.Silo.Equals(parts.LocalSilo)).Select(member => AskAsync(member.Silo)));
        }
        catch (Exception failure)
        {
            parts.Diagnostics.MembersUnknown(failure);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var map = ClusterMap.Empty;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                map = await maps.NextAsync(map.Fingerprint, stoppingToken).WaitAsync(parts.Options.StrayInterval, parts.Time, stoppingToken);
                await FollowAsync(map, stoppingToken);
            }
            catch (TimeoutException)
            {
                known.KeepTopics(topicId => topics.Find(topicId) is not null);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception defect)
            {
                parts.Diagnostics.Defect(defect, "Telling leaders");
            }
        }

        parts.Hosted.Opened -= Tell;
        await FollowAsync(ClusterMap.Empty, CancellationToken.None);
    }

    private void Tell(PartitionId partition, int leaderEpoch)
    {
        known.Learn(partition, parts.LocalSilo, leaderEpoch);
        lock (_lock)
        {
            foreach (var peer in _peers.Values)
                peer.News.Add([partition]);
        }
    }

    /// <summary>Begins to tell those that are new, of everything, and ends with those that are gone.</summary>
    private async Task FollowAsync(ClusterMap map, CancellationToken cancellation)
    {
        List<(LeaderNews News, CancellationTokenSource Gone, Task Telling)> former = [];
        lock (_lock)
        {
            foreach (var silo in _peers.Keys.Where(silo => map.Find(silo) is null).ToArray())
            {
                _peers.Remove(silo, out var peer);
                former.Add(peer);
            }

            foreach (var member in map.Members)
            {
                if (member.Silo.Equals(parts.LocalSilo) || _peers.ContainsKey(member.Silo))
                    continue;
                var (news, gone) = (new LeaderNews(parts.Hosted), CancellationTokenSource.CreateLinkedTokenSource(cancellation));
                news.Add(parts.Hosted.Ids);
                _peers.Add(member.Silo, (news, gone, Task.Run(() => TellAsync(member.Silo, news, gone.Token), CancellationToken.None)));
            }
        }

        foreach (var (_, gone, telling) in former)
        {
            await gone.CancelAsync();
            await telling;
            gone.Dispose();
        }
    }

    private async Task TellAsync(SiloAddress silo, LeaderNews news, CancellationToken cancellation)
    {
        var grain = grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(silo));
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var opened = await news.TakeAsync(cancellation);
                while (opened.Length > 0 && !await TryTellAsync(grain, opened, cancellation))
                    await Task.Delay(s_retryDelay, parts.Time, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<bool> TryTellAsync(ISiloGrain grain, ImmutableArray<HostedPartition> opened, CancellationToken cancellation)
    {
        try
        {
            await grain.LearnAsync(parts.LocalSilo, opened).WaitAsync(s_patience, parts.Time, cancellation);
            return true;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            parts.Diagnostics.LeadersUntold(failure.Message, opened.Length);
            return false;
        }
    }

    private async Task AskAsync(SiloAddress silo)
    {
        try
        {
            foreach (var one in await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(silo)).PartitionsAsync().WaitAsync(s_patience, parts.Time))
                known.Learn(one.Partition, silo, one.LeaderEpoch);
        }
        catch (Exception failure)
        {
            parts.Diagnostics.LeadersUnasked(failure.Message, silo);
        }
    }
}

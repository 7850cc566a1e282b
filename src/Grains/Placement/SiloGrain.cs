using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Microsoft.Extensions.Hosting;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

/// <summary>See <see cref="ISiloGrain"/>. Nothing is kept.</summary>
[PlacedOnSilo, Reentrant]
internal sealed class SiloGrain(
    HostedPartitions hosted,
    KnownLeaders known,
    PlacementParts parts,
    MembersRefresh refresh,
    ClusterJournal journal,
    TrafficCounts traffic,
    IHostApplicationLifetime lifetime) : Grain, ISiloGrain
{
    private const int MaxPartitions = 100_000;

    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(5);

    private bool _isAskedToDrain;

    public Task PingAsync() => Task.CompletedTask;

    public Task RefreshAsync() => refresh.Invoke();

    public Task<ImmutableArray<HostedPartition>> PartitionsAsync() => Task.FromResult<ImmutableArray<HostedPartition>>([.. hosted.Describe().Take(MaxPartitions)]);

    public Task LearnAsync(SiloAddress at, ImmutableArray<HostedPartition> opened)
    {
        foreach (var one in opened)
            known.Learn(one.Partition, at, one.LeaderEpoch);
        return Task.CompletedTask;
    }

    public async Task<JournalPage> WatchAsync(long afterId, TimeSpan maxWait, bool withTopics)
    {
        var receivedAt = journal.Time.GetUtcNow();
        await journal.WaitAsync(afterId, maxWait < s_longestWait ? maxWait : s_longestWait, lifetime.ApplicationStopping);
        var (happenings, lastId, missed) = journal.Read(afterId);
        return new JournalPage(receivedAt, journal.Time.GetUtcNow(), happenings, lastId, missed, traffic.Sum(withTopics));
    }

    public Task WhenGoneAsync(GrainId grain) => parts.Departures.WhenGoneAsync(grain).WaitAsync(parts.Options.MoveTimeout, parts.Time);

    public Task<DrainAnswer> DrainAsync()
    {
        if (_isAskedToDrain || lifetime.ApplicationStopping.IsCancellationRequested)
            return Task.FromResult(DrainAnswer.AlreadyDraining);
        _isAskedToDrain = true;

        // Not here: what is to be stopped may wait for this call.
        _ = Task.Run(lifetime.StopApplication);
        return Task.FromResult(DrainAnswer.Begun);
    }
}

/// <summary>Reads the members anew and publishes the map that follows. Whoever forms the cluster provides it.</summary>
public delegate Task MembersRefresh();

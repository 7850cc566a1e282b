using Granary.Abstractions.Cluster;
using Orleans.Concurrency;

namespace Granary.Grains.Placement;

/// <summary>See <see cref="IClusterMapGrain"/>. One activation on each silo that is asked; nothing is kept.</summary>
[StatelessWorker(1), Reentrant]
internal sealed class ClusterMapGrain(ClusterMapSource source, LongPolls polls) : Grain, IClusterMapGrain
{
    /// <summary>Well below the time after which Orleans gives a call up.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(15);

    public async Task<ClusterMap> WatchAsync(ulong knownFingerprint, TimeSpan maxWait, CancellationToken cancellation = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await polls.AwaitAsync(source.NextAsync(knownFingerprint, ended.Token), maxWait < s_longestWait ? maxWait : s_longestWait, cancellation);
        await ended.CancelAsync();
        return source.Map;
    }
}

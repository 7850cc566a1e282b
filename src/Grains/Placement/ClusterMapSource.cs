using Granary.Abstractions.Cluster;

namespace Granary.Grains.Placement;

/// <summary>
/// This silo's map: whoever watches the cluster publishes it here, placement and its followers read it. A map changes by being replaced. Safe for
/// many threads.
/// </summary>
public sealed class ClusterMapSource
{
    private readonly Lock _publishing = new();
    private volatile Published _published = new(ClusterMap.Empty);

    public ClusterMap Map => _published.Map;

    /// <summary>Makes it the map, and returns the former one; null, and nothing happens, where it is the same as before.</summary>
    public ClusterMap? Publish(ClusterMap map)
    {
        lock (_publishing)
        {
            var former = _published;
            if (former.Map.Fingerprint == map.Fingerprint)
                return null;
            _published = new Published(map);
            former.Replaced.SetResult();
            return former.Map;
        }
    }

    /// <summary>The map, as soon as it is another than the known one.</summary>
    public async Task<ClusterMap> NextAsync(ulong knownFingerprint, CancellationToken cancellation)
    {
        while (true)
        {
            var published = _published;
            if (published.Map.Fingerprint != knownFingerprint)
                return published.Map;
            await published.Replaced.Task.WaitAsync(cancellation);
        }
    }

    private sealed record Published(ClusterMap Map)
    {
        public TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

using Orleans.Concurrency;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// A silo's own <see cref="ClusterMap"/>. Key: <see cref="Key"/>. A call is answered by the silo it comes in at: the caller's own, or the
/// one that an Orleans client is connected to. Processes follow it through <see cref="ClusterDirectory"/>.
/// </summary>
[Alias("granary.IClusterMapGrain")]
public interface IClusterMapGrain : IGrainWithIntegerKey
{
    const long Key = 0;

    /// <summary>The map, as soon as it differs from the known one, or after <paramref name="maxWait"/> in any case.</summary>
    [AlwaysInterleave, Alias("Watch")]
    Task<ClusterMap> WatchAsync(ulong knownFingerprint, TimeSpan maxWait, CancellationToken cancellation = default);
}

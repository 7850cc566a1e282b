using Granary.Abstractions.Cluster;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Granary.Gateway.Edge;

/// <summary>Whether silos can be reached, and how many there are.</summary>
internal sealed class ClusterCheck(IGrainFactory grains) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var map = await grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key).WatchAsync(ClusterMap.Empty.Fingerprint, TimeSpan.Zero, cancellationToken).WaitAsync(cancellationToken);
        return HealthCheckResult.Healthy(map.Members.Length == 1 ? "1 silo" : $"{map.Members.Length} silos");
    }
}

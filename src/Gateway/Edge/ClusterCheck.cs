using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Runtime;

namespace Granary.Gateway.Edge;

/// <summary>Whether silos can be reached, and how many there are.</summary>
internal sealed class ClusterCheck(IGrainFactory grains) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var silos = await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true).WaitAsync(cancellationToken);
        return HealthCheckResult.Healthy(silos.Count == 1 ? "1 silo" : $"{silos.Count} silos");
    }
}

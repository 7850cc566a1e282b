using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Granary.Gateway.Edge;

/// <summary>
/// The Orleans client tries for ever to reach the cluster: its database may not be up yet, or no silo has made its tables there, or none
/// runs. Says why when the reason changes.
/// </summary>
internal sealed class ClusterWait(ILogger<ClusterWait> log) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    private string? _told;

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (exception.Message != _told)
            log.WaitingForCluster(_told = exception.Message);
        await Task.Delay(s_retryDelay, cancellationToken);
        return true;
    }
}

using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Edge;

/// <summary>
/// Holds the Kafka listener's start back until the catalog answers: a cluster that can be reached may still be starting, or losing a silo.
/// </summary>
internal sealed class CatalogWait(TopicDirectory directory) : IHostedService
{
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(500);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await directory.StartAsync().WaitAsync(cancellationToken);
                return;
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                await Task.Delay(s_retryDelay, cancellationToken);
            }
        }
    }

    /// <summary>A long poll that is still out would hinder Orleans' stop.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => directory.StopAsync();
}

using System.Net;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace Granary.Silo.Clustering;

/// <summary>
/// Tells when a connection of Orleans to another silo ends: the kernel closes a dead process's connections at once. It is a hint only, since connections
/// end for other reasons too. Safe for many threads.
/// </summary>
internal sealed class PeerConnections
{
    private readonly Lock _lock = new();
    private readonly Dictionary<EndPoint, TaskCompletionSource> _waiting = [];

    /// <summary>Has Orleans' connections to other silos observed.</summary>
    public void Observe(SiloConnectionOptions options) => options.ConfigureSiloOutboundConnection(connection => connection.Use(next => async context =>
    {
        try
        {
            await next(context);
        }
        finally
        {
            if (context.RemoteEndPoint is { } peer)
                TellLost(peer);
        }
    }));

    /// <summary>Completes when a connection to that silo ends that is open now or will be.</summary>
    public Task NextLossAsync(EndPoint silo)
    {
        lock (_lock)
        {
            if (!_waiting.TryGetValue(silo, out var waiting))
                _waiting.Add(silo, waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return waiting.Task;
        }
    }

    private void TellLost(EndPoint silo)
    {
        lock (_lock)
        {
            if (_waiting.Remove(silo, out var waiting))
                waiting.SetResult();
        }
    }
}

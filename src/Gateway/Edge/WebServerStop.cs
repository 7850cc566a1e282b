using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Edge;

/// <summary>
/// Ends the web server before what its requests need. It starts first, so that the process says that it lives while it waits for a cluster, and would therefore
/// stop last: requests would find the producer and the cluster's client gone. Added last, so that it stops first; the host's own stop of the server then finds it done.
/// </summary>
internal sealed class WebServerStop(IServer server) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);
}

using System.Net;
using System.Net.Sockets;

namespace Granary.Silo.Clustering;

/// <summary>Whether anybody listens. Only a refusal counts as no: a host that says nothing may be slow, or cut off.</summary>
internal static class PortProbe
{
    public static async Task<bool> RefusesAsync(IPEndPoint endpoint, TimeSpan patience, CancellationToken cancellation)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        try
        {
            await socket.ConnectAsync(endpoint, limit.Token);
            return false;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}

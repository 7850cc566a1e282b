using System.Net;
using System.Net.Sockets;

namespace Granary.Support;

/// <summary>
/// Ports that nobody listens on, below those that the machine takes for outgoing connections: a program that is killed and started again must
/// find its port free, and not taken by a client of another.
/// </summary>
public static class FreePorts
{
    private const int First = 12_000;
    private const int End = 32_000;

    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, End);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: try another.
            }
        }
    }
}

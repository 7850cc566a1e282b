using System.Net;
using System.Net.Sockets;

namespace Granary.Silo.Hosting;

/// <summary>Chooses a port on loopback.</summary>
internal static class Ports
{
    /// <summary>The asked one; where none was asked for (0), the usual one if it is free, else any that is.</summary>
    public static int Choose(int asked, int usual)
    {
        if (asked != 0)
            return asked;
        return Free(usual) ?? Free(0) ?? usual;
    }

    private static int? Free(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}

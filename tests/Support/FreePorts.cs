using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Granary.Support;

/// <summary>
/// Ports that nobody listens on, below those that the machine takes for outgoing connections: a program that is killed and started again must
/// find its port free, and not taken by a client of another. Test programs run side by side, and a port is bound a while after it was chosen:
/// so each program chooses from a block of its own, which it holds by a locked file until it ends, and every port of it once in a while only.
/// </summary>
public static class FreePorts
{
    private const int First = 12_000;
    private const int End = 32_000;
    private const int BlockSize = 500;

    private static readonly Lock s_gate = new();
    private static FileStream? s_lock;
    private static int s_block;
    private static int s_next;

    public static int Next()
    {
        lock (s_gate)
        {
            if (s_lock is null)
                (s_lock, s_block) = TakeBlock();
            for (var tries = 0; tries < BlockSize; tries++)
            {
                var port = s_block + (s_next++ % BlockSize);
                if (IsFree(port))
                    return port;
            }
        }

        throw new InvalidOperationException($"no port from {s_block} to {s_block + BlockSize - 1} is free");
    }

    /// <summary>Whether nobody listens on it now.</summary>
    public static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static (FileStream Lock, int Block) TakeBlock()
    {
        for (var block = First; block < End; block += BlockSize)
        {
            var name = Path.Combine(Path.GetTempPath(), $"granary-test-ports-{block.ToString(CultureInfo.InvariantCulture)}.lock");
            try
            {
                return (new FileStream(name, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), block);
            }
            catch (Exception taken) when (taken is IOException or UnauthorizedAccessException)
            {
                // Another test program's, of this user or of another.
            }
        }

        throw new InvalidOperationException($"all blocks of ports from {First} to {End - 1} are taken by other test programs");
    }
}

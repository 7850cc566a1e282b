using System.Net.Sockets;

namespace Granary.Gateway.Kafka;

/// <summary>The Kafka listener cannot listen where its options say.</summary>
public sealed class ListenException(string address, int port, SocketException failure)
    : IOException($"cannot listen on {address}:{port}: {failure.Message}.", failure)
{
    /// <summary>True: somebody else listens there. False: the address is not this machine's, or the port is not for this user.</summary>
    public bool IsPortInUse => failure.SocketErrorCode == SocketError.AddressAlreadyInUse;
}

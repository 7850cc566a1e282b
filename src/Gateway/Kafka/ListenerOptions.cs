using System.Net;

namespace Granary.Gateway.Kafka;

/// <summary>One door for clients (Kafka's listeners and advertised.listeners): for example one for the cluster's own network and one for everyone else.</summary>
public sealed class ListenerOptions
{
    /// <summary>Its name; a client that came in by this listener is told of the other brokers' listeners of the same name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The IP address to listen on.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port to listen on; 0 takes a free one.</summary>
    public int Port { get; set; }

    /// <summary>The host that clients are told to connect to.</summary>
    public string AdvertisedHost { get; set; } = "127.0.0.1";

    /// <summary>The port that clients are told to connect to; 0: the one that is listened on.</summary>
    public int AdvertisedPort { get; set; }

    internal IEnumerable<string> Validate(string where)
    {
        if (string.IsNullOrWhiteSpace(Name))
            yield return $"{where}{nameof(Name)} is empty.";
        if (!IPAddress.TryParse(Address, out _))
            yield return $"{where}{nameof(Address)} is '{Address}': an IP address is wanted.";
        if (Port is < 0 or > 65535)
            yield return $"{where}{nameof(Port)} is {Port}: 0 to 65535 is wanted.";
        if (AdvertisedPort is < 0 or > 65535)
            yield return $"{where}{nameof(AdvertisedPort)} is {AdvertisedPort}: 0 to 65535 is wanted.";
        if (string.IsNullOrWhiteSpace(AdvertisedHost))
            yield return $"{where}{nameof(AdvertisedHost)} is empty.";
    }
}

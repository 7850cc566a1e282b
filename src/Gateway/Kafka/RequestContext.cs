using Granary.Gateway.Kafka.Fetching;

namespace Granary.Gateway.Kafka;

/// <summary>What a handler knows of the request apart from its body. One per request.</summary>
internal sealed class RequestContext
{
    /// <summary>The version that the request is written in, and its reply is to be.</summary>
    public required short ApiVersion { get; init; }

    public required string? ClientId { get; init; }

    /// <summary>Where the client is, as Kafka writes it: its IP address after a slash.</summary>
    public string ClientHost { get; init; } = "";

    /// <summary>Unique among connections of all processes.</summary>
    public required Guid ConnectionId { get; init; }

    /// <summary>The door the client came in by: what Metadata names as this broker's address.</summary>
    public required Listener Listener { get; init; }

    /// <summary>The connection is gone: nobody will read the reply.</summary>
    public CancellationToken Aborted { get; init; }

    /// <summary>The connection is about to end, or is gone: whoever waits for data answers now with what there is.</summary>
    public CancellationToken Ending { get; init; }

    /// <summary>What the connection's fetches know from one to the next; null: nothing is kept.</summary>
    public FetchReader? Reader { get; init; }

    /// <summary>
    /// Null, or what the connection awaits before it starts the next request. A handler sets it, before its first await, where it could not
    /// do at once what has to happen in the order of requests, or where nothing else is to be done meanwhile.
    /// </summary>
    public Task? OrderedPart { get; set; }

    /// <summary>True: the request wants no reply (Produce with acks 0), whatever the handler returns.</summary>
    public bool NoReply { get; set; }

    /// <summary>Null, or why the connection is to be closed instead of a reply (what came before is still replied to). Set by the handler.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>Closes the connection where the protocol has no reply that could say what is wrong.</summary>
    public void Close(string reason) => CloseReason ??= reason;
}

using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka;

internal delegate TMessage ReadMessage<TMessage>(ref WireReader reader, short version);

internal delegate void WriteMessage<TMessage>(TMessage message, WireWriter writer, short version);

/// <summary>One of the protocol's requests: its key, the versions that are advertised and taken, and how it is answered.</summary>
internal abstract class Api(short key, string name, short lowestVersion, short highestVersion)
{
    public short Key { get; } = key;

    public string Name { get; } = name;

    public short LowestVersion { get; } = lowestVersion;

    public short HighestVersion { get; } = highestVersion;

    /// <summary>How metrics name it.</summary>
    public KeyValuePair<string, object?> Tag { get; } = new("type", name);

    public bool Takes(short version) => version >= LowestVersion && version <= HighestVersion;

    /// <summary>
    /// Reads the request's body and starts its handler. Gives the whole reply frame, ready to be sent; null where there is none. The
    /// caller disposes it.
    /// </summary>
    /// <exception cref="MalformedFrameException">Thrown at once: the body is not what the version says.</exception>
    public abstract ValueTask<WireWriter?> AnswerAsync(RequestContext context, int correlationId, ref WireReader body);
}

/// <inheritdoc/>
internal sealed class Api<TRequest, TResponse>(short key, string name, short lowestVersion, short highestVersion) : Api(key, name, lowestVersion, highestVersion)
{
    public required ReadMessage<TRequest> Read { get; init; }

    public required WriteMessage<TResponse> Write { get; init; }

    /// <summary>Whether a version's reply header has room for tagged fields.</summary>
    public required Func<short, bool> HasFlexibleReplyHeader { get; init; }

    public required Func<RequestContext, TRequest, ValueTask<TResponse>> Handle { get; init; }

    public override ValueTask<WireWriter?> AnswerAsync(RequestContext context, int correlationId, ref WireReader body)
    {
        var request = Read(ref body, context.ApiVersion);
        var handling = Handle(context, request);
        return handling.IsCompletedSuccessfully
            ? ValueTask.FromResult(ToFrame(context, correlationId, handling.Result))
            : AwaitAsync(context, correlationId, handling);
    }

    private async ValueTask<WireWriter?> AwaitAsync(RequestContext context, int correlationId, ValueTask<TResponse> handling) =>
        ToFrame(context, correlationId, await handling);

    private WireWriter? ToFrame(RequestContext context, int correlationId, TResponse response)
    {
        if (context.NoReply || context.CloseReason is not null || context.Aborted.IsCancellationRequested)
            return null;
        return ReplyFrame.Write(correlationId, HasFlexibleReplyHeader(context.ApiVersion), response, Write, context.ApiVersion);
    }
}

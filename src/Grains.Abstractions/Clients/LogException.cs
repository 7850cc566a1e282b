namespace Granary.Abstractions.Clients;

/// <summary>What a log, a topic or the client itself refused, after all retries that made sense.</summary>
public sealed class LogException : Exception
{
    public LogException(ErrorCode error, string message, Exception? inner = null)
        : base(message, inner)
    {
        Error = error;
    }

    /// <summary>The refusal by Kafka's number.</summary>
    public ErrorCode Error { get; }
}

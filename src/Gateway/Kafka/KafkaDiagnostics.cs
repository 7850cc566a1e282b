using System.Net;
using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka;

internal static partial class KafkaDiagnostics
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Listening for Kafka clients on {EndPoint}, advertised as {Host}:{Port}")]
    public static partial void Listening(this ILogger log, EndPoint endPoint, string host, int port);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopped listening for Kafka clients; {Connections} connections were open")]
    public static partial void StoppedListening(this ILogger log, int connections);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Closed the connection of {Client}: {Reason} ({Withheld} such lines withheld)")]
    public static partial void ClosedForBadRequest(this ILogger log, string client, string reason, long withheld);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a connection from {Client}: {Open} are open, the limit (MaxConnections) ({Withheld} such lines withheld)")]
    public static partial void ConnectionRefused(this ILogger log, string client, int open, long withheld);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Closed the connection of {Client}: silent for {Silent}")]
    public static partial void ClosedForIdleness(this ILogger log, string client, TimeSpan silent);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Closed the connection of {Client}: a frame was not whole after {Timeout} (FrameTimeout) and the time that its bytes take at {Rate} a second (MinFrameBytesPerSecond) ({Withheld} such lines withheld)")]
    public static partial void ClosedForSlowness(this ILogger log, string client, TimeSpan timeout, int rate, long withheld);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The connection of {Client} broke: {Reason}")]
    public static partial void ConnectionBroke(this ILogger log, string client, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Answering {Client}'s {Api} version {Version} failed; its connection is closed ({Withheld} such lines withheld)")]
    public static partial void HandlerFailed(this ILogger log, string client, string api, short version, long withheld, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "A Kafka connection ended by a defect")]
    public static partial void ConnectionFailed(this ILogger log, Exception failure);

    [LoggerMessage(Level = LogLevel.Error, Message = "Taking the next Kafka connection failed; trying again in {Delay}")]
    public static partial void AcceptFailed(this ILogger log, TimeSpan delay, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Partition {Partition} did not answer ({Reason}); the client is told {Answer} ({Withheld} such lines withheld)")]
    public static partial void PartitionUnavailable(this ILogger log, string partition, string reason, ErrorCode answer, long withheld);

    [LoggerMessage(Level = LogLevel.Error, Message = "Partition {Partition} failed; the client is told {Answer} ({Withheld} such lines withheld)")]
    public static partial void PartitionDefect(this ILogger log, string partition, ErrorCode answer, long withheld, Exception failure);
}

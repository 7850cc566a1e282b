using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Clients;

internal static partial class ClientDiagnostics
{
    [LoggerMessage(1, LogLevel.Warning, "{Subject}: attempt {Attempt} failed and is made again: {Reason}")]
    public static partial void Retried(ILogger logger, string subject, int attempt, string reason, Exception? failure);

    [LoggerMessage(2, LogLevel.Error, "{Subject}: given up: {Reason}")]
    public static partial void GivenUp(ILogger logger, string subject, string reason, Exception? failure);

    [LoggerMessage(3, LogLevel.Warning, "Group {Group} removed {Member}, whose partitions are others' now; it joins again: {Reason}")]
    public static partial void RemovedFromGroup(ILogger logger, string group, string member, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Member} leaves group {Group}: its reader has not asked for the next record for {Limit} (MaxProcessingTime)")]
    public static partial void ReaderStuck(ILogger logger, string group, string member, TimeSpan limit);

    [LoggerMessage(5, LogLevel.Warning, "Group {Group} could not be told that {Member} has left; it finds out after a session: {Reason}")]
    public static partial void NotTold(ILogger logger, string group, string member, string reason, Exception failure);

    [LoggerMessage(6, LogLevel.Warning, "Positions were not committed, and may be read again: {Reason}")]
    public static partial void NotCommitted(ILogger logger, string reason, Exception failure);
}

using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka.Apis;

internal static partial class ApiDiagnostics
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{What}: no answer ({Reason}); the client is told {Answer} ({Withheld} such lines withheld)")]
    public static partial void CallUnanswered(this ILogger log, string what, string reason, ErrorCode answer, long withheld);

    [LoggerMessage(Level = LogLevel.Error, Message = "{What} failed; the client is told {Answer} ({Withheld} such lines withheld)")]
    public static partial void CallFailed(this ILogger log, string what, ErrorCode answer, long withheld, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The topic catalog was changed, but this process could not read the change yet; it follows later ({Withheld} such lines withheld)")]
    public static partial void ChangeNotShown(this ILogger log, long withheld, Exception failure);
}

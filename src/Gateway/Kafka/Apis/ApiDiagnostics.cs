using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka.Apis;

internal static partial class ApiDiagnostics
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{What}: no answer ({Reason}); the client is told {Answer} ({Withheld} such lines withheld)")]
    public static partial void CallUnanswered(this ILogger log, string what, string reason, ErrorCode answer, long withheld);

    [LoggerMessage(Level = LogLevel.Error, Message = "{What} failed; the client is told {Answer} ({Withheld} such lines withheld)")]
    public static partial void CallFailed(this ILogger log, string what, ErrorCode answer, long withheld, Exception failure);
}

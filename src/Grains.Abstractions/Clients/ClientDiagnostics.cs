using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Clients;

internal static partial class ClientDiagnostics
{
    [LoggerMessage(1, LogLevel.Warning, "{Subject}: attempt {Attempt} failed and is made again: {Reason}")]
    public static partial void Retried(ILogger logger, string subject, int attempt, string reason, Exception? failure);

    [LoggerMessage(2, LogLevel.Error, "{Subject}: given up: {Reason}")]
    public static partial void GivenUp(ILogger logger, string subject, string reason, Exception? failure);
}

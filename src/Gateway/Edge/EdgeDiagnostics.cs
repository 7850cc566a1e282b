using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Edge;

/// <summary>What a gateway at the edge tells people.</summary>
internal static partial class EdgeDiagnostics
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The cluster cannot be reached yet: {Reason}")]
    public static partial void WaitingForCluster(this ILogger log, string reason);
}

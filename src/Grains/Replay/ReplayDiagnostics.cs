using Microsoft.Extensions.Logging;

namespace Granary.Grains.Replay;

/// <summary>What resets tell the operator.</summary>
internal sealed partial class ReplayDiagnostics(ILogger<ReplayDiagnostics> logger)
{
    [LoggerMessage(1, LogLevel.Warning, "A plan to reset group {Group} could not be made or kept")]
    public partial void NotKept(Exception failure, string group);
}

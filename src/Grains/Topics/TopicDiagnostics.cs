using Microsoft.Extensions.Logging;

namespace Granary.Grains.Topics;

internal static partial class TopicDiagnostics
{
    [LoggerMessage(1, LogLevel.Error, "The catalog of topics could not be saved; it is read anew")]
    public static partial void SaveFailed(ILogger logger, Exception failure);

    [LoggerMessage(2, LogLevel.Warning, "Logs of the deleted topic {TopicId} could not all be deleted; it is tried again at the next change")]
    public static partial void DeletionFailed(ILogger logger, Guid topicId, Exception failure);

    [LoggerMessage(3, LogLevel.Warning, "The answer to a save of the catalog was lost; what lies there is read")]
    public static partial void SaveInDoubt(ILogger logger, Exception failure);
}

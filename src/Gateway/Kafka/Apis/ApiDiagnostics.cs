using Granary.Abstractions;
using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Kafka.Apis;

internal static partial class ApiDiagnostics
{
    /// <summary>A warning where something was away, an error where it is our fault.</summary>
    public static void CallFailed(this ILogger log, PartitionId partition, ErrorCode answer, Exception failure)
    {
        if (GrainFailures.IsUnavailable(failure))
            PartitionUnavailable(log, partition, answer, failure.Message);
        else
            PartitionDefect(log, partition, answer, failure);
    }

    /// <summary>A warning where something was away, an error where it is our fault.</summary>
    public static void CallFailed(this ILogger log, string what, ErrorCode answer, Exception failure)
    {
        if (GrainFailures.IsUnavailable(failure))
            Unavailable(log, what, answer, failure.Message);
        else
            Defect(log, what, answer, failure);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Partition {Partition} did not answer ({Reason}); the client is told {Answer}")]
    private static partial void PartitionUnavailable(ILogger log, PartitionId partition, ErrorCode answer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Partition {Partition} failed; the client is told {Answer}")]
    private static partial void PartitionDefect(ILogger log, PartitionId partition, ErrorCode answer, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What}: no answer ({Reason}); the client is told {Answer}")]
    private static partial void Unavailable(ILogger log, string what, ErrorCode answer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{What} failed; the client is told {Answer}")]
    private static partial void Defect(ILogger log, string what, ErrorCode answer, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The topic catalog changed, but this process could not read the change yet; it follows later")]
    public static partial void RefreshFailed(this ILogger log, Exception failure);
}

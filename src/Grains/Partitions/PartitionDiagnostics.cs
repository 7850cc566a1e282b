using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Granary.Grains.Partitions;

/// <summary>What partitions tell the operator.</summary>
internal sealed partial class PartitionDiagnostics(ILogger<PartitionDiagnostics> logger)
{
    [LoggerMessage(1, LogLevel.Debug, "Partition {Partition} is open at epoch {LeaderEpoch}: offsets {LogStart} to {End}, {Producers} producers")]
    public partial void Opened(PartitionId partition, int leaderEpoch, long logStart, long end, int producers);

    [LoggerMessage(2, LogLevel.Warning, "Partition {Partition} cannot be opened (attempt {Attempt}); it is tried again")]
    public partial void CannotOpen(Exception failure, PartitionId partition, int attempt);

    [LoggerMessage(3, LogLevel.Warning, "Partition {Partition} at epoch {LeaderEpoch}: a write ended as {Outcome}; the log is opened anew")]
    public partial void Broken(PartitionId partition, int leaderEpoch, AppendOutcome outcome);

    [LoggerMessage(4, LogLevel.Warning, "Partition {Partition} at epoch {LeaderEpoch} is owned by somebody else now; this activation ends")]
    public partial void Fenced(PartitionId partition, int leaderEpoch);

    [LoggerMessage(5, LogLevel.Error, "Partition {Partition}: the store broke its contract; the log is opened anew")]
    public partial void StoreDefect(Exception defect, PartitionId partition);

    [LoggerMessage(6, LogLevel.Information, "Partition {Partition}: {Verdict} after all: the append at offset {BaseOffset} of epoch {LeaderEpoch}, whose commit gave no answer")]
    public partial void InDoubtDecided(PartitionId partition, int leaderEpoch, long baseOffset, InDoubtVerdict verdict);

    [LoggerMessage(7, LogLevel.Information, "Partition {Partition} starts at offset {LogStart} now, instead of {Former}")]
    public partial void LogStartMoved(PartitionId partition, long former, long logStart);

    [LoggerMessage(8, LogLevel.Warning, "Partition {Partition}: the producers' states could not be saved; opening reads more headers instead")]
    public partial void ProducersNotSaved(Exception failure, PartitionId partition);

    [LoggerMessage(9, LogLevel.Information, "Partition {Partition} is deleted")]
    public partial void Deleted(PartitionId partition);

    [LoggerMessage(10, LogLevel.Warning, "Partition {Partition}: the batch at offset {BaseOffset} cannot be read; a search by time answers with its first offset")]
    public partial void UnreadableBatch(Exception failure, PartitionId partition, long baseOffset);

    [LoggerMessage(11, LogLevel.Warning, "Retention of partition {Partition} failed; the next check tries again")]
    public partial void RetentionFailed(Exception failure, PartitionId partition);

    [LoggerMessage(12, LogLevel.Error, "A retention check failed; the next one tries again")]
    public partial void RetentionCheckFailed(Exception failure);

    [LoggerMessage(13, LogLevel.Debug, "Partition {Partition} does not exist: the topic is unknown or has fewer partitions")]
    public partial void Missing(PartitionId partition);
}

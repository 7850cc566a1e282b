using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;

namespace Granary.Grains.Storage;

/// <summary>What the store tells the operator.</summary>
internal sealed partial class StorageDiagnostics(ILogger<StorageDiagnostics> logger)
{
    [LoggerMessage(1, LogLevel.Error, "A group commit of {Batches} batches failed ({Kind}); their partitions are reopened")]
    public partial void FlushFailed(Exception failure, int batches, FlushFailureKind kind);

    [LoggerMessage(2, LogLevel.Warning, "A group commit is tried again (attempt {Attempt} failed): {Reason}")]
    public partial void FlushRetried(int attempt, string reason);

    [LoggerMessage(3, LogLevel.Information, "Partition {Partition} is fenced: epoch {LeaderEpoch} is over, or its log is not where its owner believes")]
    public partial void Fenced(PartitionId partition, int leaderEpoch);

    [LoggerMessage(4, LogLevel.Error, "PostgreSQL cannot be reached; appends are refused until it can")]
    public partial void CannotConnect(Exception failure);

    [LoggerMessage(5, LogLevel.Information, "PostgreSQL can be reached again")]
    public partial void Connected();

    [LoggerMessage(6, LogLevel.Error, "Partition {Partition} appended at {BaseOffset} where {Expected} is next: a defect of its owner")]
    public partial void OutOfOrder(PartitionId partition, long expected, long baseOffset);

    [LoggerMessage(7, LogLevel.Error, "A writer's lane met a defect")]
    public partial void LaneDefect(Exception defect);

    [LoggerMessage(8, LogLevel.Information, "Slab {Slab} of family {Family} begins")]
    public partial void SlabBegun(int slab, int family);

    [LoggerMessage(9, LogLevel.Information, "Slab {Slab} is dropped: nothing of it is alive; {Bytes} bytes come back")]
    public partial void SlabDropped(int slab, long bytes);

    [LoggerMessage(10, LogLevel.Information, "{Segments} segments with {Bytes} bytes are copied out of slab {Slab}")]
    public partial void CopiedForward(int slab, int segments, long bytes);

    [LoggerMessage(11, LogLevel.Error, "Looking after slabs failed; the next run tries again")]
    public partial void KeeperFailed(Exception failure);

    [LoggerMessage(12, LogLevel.Warning, "Slab {Slab} is still read or written; it is dropped by a later run")]
    public partial void SlabBusy(int slab);

    [LoggerMessage(13, LogLevel.Warning, "Ended {Count} transactions of writers that stopped in the middle of one: a partition is to be opened")]
    public partial void StuckWritersEnded(long count);

    [LoggerMessage(14, LogLevel.Warning, "PostgreSQL is not there yet: {Reason}")]
    public partial void WaitingForPostgres(string reason);

    [LoggerMessage(15, LogLevel.Error, "A write to partition {Partition} failed ({What}); it is reopened")]
    public partial void WorkFailed(Exception failure, PartitionId partition, string what);

    [LoggerMessage(16, LogLevel.Debug, "Reading ahead failed; the reader asks again itself")]
    public partial void ReadAheadFailed(Exception failure);

    [LoggerMessage(17, LogLevel.Error, "{Offsets} positions of groups were not written ({Outcome})")]
    public partial void OffsetsNotWritten(Exception failure, int offsets, GroupWriteOutcome outcome);

    [LoggerMessage(18, LogLevel.Warning, "Nobody has looked after slabs for {Since}, and no space comes back: PostgreSQL's session {ProcessId} (of {Client}) has the keeper's lock, and neither began nor ended a statement meanwhile. Where that silo is gone or hangs, end the session by pg_terminate_backend({ProcessId})")]
    public partial void KeeperStuck(TimeSpan since, int processId, string client);
}

using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>What a reader may see, and how it is answered.</summary>
internal static class LogReads
{
    public static long Bound(PartitionLog offsets, IsolationLevel isolation) =>
        isolation == IsolationLevel.ReadCommitted ? offsets.LastStableOffset : offsets.HighWatermark;

    public static ErrorCode Refuse(PartitionLog offsets, ReadRequest request)
    {
        if (CheckEpoch(offsets, request.CurrentLeaderEpoch) is var error and not ErrorCode.None)
            return error;
        return request.Offset < offsets.LogStartOffset || request.Offset > offsets.HighWatermark ? ErrorCode.OffsetOutOfRange : ErrorCode.None;
    }

    /// <summary>KIP-320: a reader that believes in another epoch is told so. -1: it believes in none.</summary>
    public static ErrorCode CheckEpoch(PartitionLog offsets, int currentLeaderEpoch)
    {
        if (currentLeaderEpoch < 0 || currentLeaderEpoch == offsets.LeaderEpoch)
            return ErrorCode.None;
        return currentLeaderEpoch < offsets.LeaderEpoch ? ErrorCode.FencedLeaderEpoch : ErrorCode.UnknownLeaderEpoch;
    }

    public static ReadResult Answer(PartitionLog offsets, ErrorCode error = ErrorCode.None, RecordBytes? records = null) =>
        new(error, offsets.HighWatermark, offsets.LastStableOffset, offsets.LogStartOffset, offsets.LeaderEpoch, records ?? RecordBytes.Empty);

    /// <summary>Reads below <paramref name="bound"/> (exclusive) from the store; appends go on meanwhile.</summary>
    /// <param name="leaving">Cancelled when the partition's readers are sent away.</param>
    public static async Task<ReadResult> ReadHistoryAsync(IPartitionStore store, OpenLog log, ReadRequest request, long bound, CancellationToken leaving)
    {
        try
        {
            var batches = await store.ReadAsync(log.Owned, request.Offset, bound, Math.Max(1, request.MaxBytes), leaving);
            var pieces = Fit(batches, request.MaxBytes, request.Strict);
            var records = RecordBytes.Of(pieces);
            PartitionMetrics.ReadHistory(records.Length);
            log.CountRead(records.Length);
            return Answer(log.Offsets, ErrorCode.None, records);
        }
        catch (Exception failure) when (IsPassing(failure))
        {
            // The reader asks for metadata, and again.
            return Answer(log.Offsets, ErrorCode.NotLeaderOrFollower);
        }
    }

    /// <summary>True where a read was not made: PostgreSQL is away or too busy, or the readers were sent away.</summary>
    public static bool IsPassing(Exception failure) => failure is StoreUnavailableException or OperationCanceledException;

    /// <summary>KIP-74: as many as fit, and the first in any case unless <paramref name="strict"/>.</summary>
    private static List<ReadOnlyMemory<byte>> Fit(IReadOnlyList<StoredBatch> batches, int maxBytes, bool strict)
    {
        var pieces = new List<ReadOnlyMemory<byte>>(batches.Count);
        long bytes = 0;
        foreach (var batch in batches)
        {
            bytes += batch.Bytes.Length;
            if (bytes > maxBytes && (strict || pieces.Count > 0))
                break;
            pieces.Add(batch.Bytes);
        }

        return pieces;
    }
}

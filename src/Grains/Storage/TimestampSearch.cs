using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Finds batches by timestamp: first the segments whose newest record is new enough, then the first-chunk rows of one segment. Timestamps
/// need not ascend, so a segment is scanned; only its columns are, not its data.
/// </summary>
internal sealed class TimestampSearch(SessionPool sessions)
{
    /// <summary>The base offset of the first batch that begins in the range and whose newest record is at or after <paramref name="timestamp"/>.</summary>
    public Task<long?> FirstAtOrAfterAsync(OwnedLog owner, long timestamp, long fromOffset, long endOffset, CancellationToken cancellation) =>
        OverSegmentsAsync(owner, cancellation, async (connection, segments, logStart, limit) =>
        {
            foreach (var (segment, slab) in segments)
            {
                if (segment.MaxTimestamp < timestamp || segment.EndOffset <= fromOffset || segment.BaseOffset >= endOffset)
                    continue;
                var rest = segment with { BaseOffset = Math.Max(segment.BaseOffset, fromOffset) };
                var found = await QueryAsync(
                    connection, owner.Id, rest, slab, logStart, endOffset, "AND max_timestamp >= $5", "base_offset", timestamp, limit);
                if (found is { } batch)
                    return batch.BaseOffset;
            }

            return null;
        });

    /// <summary>The base offset of the first batch in the range that holds the largest timestamp.</summary>
    public Task<long?> FirstOfMaxAsync(OwnedLog owner, long endOffset, CancellationToken cancellation) =>
        OverSegmentsAsync(owner, cancellation, async (connection, segments, logStart, limit) =>
        {
            (long BaseOffset, long Timestamp)? best = null;
            // A segment's largest may lie below the log start, so the largest of all is not known before it is read.
            foreach (var (segment, slab) in segments.OrderByDescending(entry => entry.Segment.MaxTimestamp).ThenBy(entry => entry.Segment.BaseOffset))
            {
                if (best is { } sofar && segment.MaxTimestamp < sofar.Timestamp)
                    break;
                if (segment.BaseOffset >= endOffset)
                    continue;
                var found = await QueryAsync(
                    connection, owner.Id, segment, slab, logStart, endOffset, string.Empty, "max_timestamp DESC, base_offset", null, limit);
                if (found is { } batch && (best is not { } known || batch.Timestamp > known.Timestamp
                    || (batch.Timestamp == known.Timestamp && batch.BaseOffset < known.BaseOffset)))
                    best = found;
            }

            return best?.BaseOffset;
        });

    private Task<long?> OverSegmentsAsync(
        OwnedLog owner,
        CancellationToken cancellation,
        Func<NpgsqlConnection, List<(StoredSegment Segment, int SlabId)>, long, CancellationToken, Task<long?>> search) =>
        sessions.AskAsync(
            async (connection, limit) =>
            {
                for (var attempt = 1; ; attempt++)
                {
                    var segments = await SegmentMap.ListAsync(connection, owner.Id, limit);
                    var logStart = await LogStartAsync(connection, owner.Id, limit);
                    try
                    {
                        return await search(connection, segments, logStart, limit);
                    }
                    catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.UndefinedTable && attempt < 3)
                    {
                        // A segment was copied into another slab since the list was read.
                    }
                }
            },
            cancellation);

    private static async Task<long> LogStartAsync(NpgsqlConnection connection, int partitionId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT log_start_offset FROM granary.heads WHERE partition_id = $1", connection)
        {
            Parameters = { new() { Value = partitionId } },
        };
        return await command.ExecuteScalarAsync(cancellation) is long offset ? offset : long.MaxValue;
    }

    private static async Task<(long BaseOffset, long Timestamp)?> QueryAsync(
        NpgsqlConnection connection,
        int partitionId,
        StoredSegment segment,
        int slabId,
        long logStart,
        long endOffset,
        string filter,
        string order,
        long? timestamp,
        CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT base_offset, max_timestamp FROM {LogSchema.SlabTable(slabId)}
            WHERE partition_id = $1 AND base_offset >= $2 AND base_offset < $3 AND chunk = 0 AND end_offset > $4 {filter}
            ORDER BY {order} LIMIT 1
            """,
            connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new() { Value = partitionId },
                new() { Value = segment.BaseOffset },
                new() { Value = Math.Min(segment.EndOffset, endOffset) },
                new() { Value = logStart },
            },
        };
        if (timestamp is { } bound)
            command.Parameters.Add(new NpgsqlParameter { Value = bound });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? (reader.GetInt64(0), reader.GetInt64(1)) : null;
    }
}

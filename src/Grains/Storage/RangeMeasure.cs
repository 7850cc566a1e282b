using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Bytes of the batches that hold offsets of a range. Segments that lie in it whole are known by their own row; of the one or two at its ends the
/// first-chunk rows are added up.
/// </summary>
internal sealed class RangeMeasure(SessionPool sessions)
{
    public Task<long> MeasureAsync(OwnedLog owner, long startOffset, long endOffset, CancellationToken cancellation) => sessions.AskAsync(
        async (connection, limit) =>
        {
            for (var attempt = 1; ; attempt++)
            {
                var segments = await SegmentMap.ListAsync(connection, owner.Id, limit);
                try
                {
                    long bytes = 0;
                    foreach (var (segment, slab) in segments)
                    {
                        if (segment.EndOffset <= startOffset || segment.BaseOffset >= endOffset)
                            continue;
                        // An active one grows, so that its row may say less than was asked for.
                        var isWhole = !segment.IsActive && segment.BaseOffset >= startOffset && segment.EndOffset <= endOffset;
                        bytes += isWhole ? segment.SizeBytes : await AddUpAsync(connection, owner.Id, segment, slab, startOffset, endOffset, limit);
                    }

                    return bytes;
                }
                catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.UndefinedTable && attempt < 3)
                {
                    // A segment was copied into another slab since the list was read.
                }
            }
        },
        cancellation);

    private static async Task<long> AddUpAsync(
        NpgsqlConnection connection, int partitionId, StoredSegment segment, int slabId, long startOffset, long endOffset, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            SELECT coalesce(sum(batch_bytes), 0)::bigint FROM {LogSchema.SlabTable(slabId)}
            WHERE partition_id = $1 AND base_offset >= $2 AND base_offset < $3 AND chunk = 0 AND end_offset > $4
            """,
            connection)
        {
            Parameters =
            {
                new() { Value = partitionId },
                new() { Value = segment.BaseOffset },
                new() { Value = Math.Min(endOffset, segment.IsActive ? long.MaxValue : segment.EndOffset) },
                new() { Value = startOffset },
            },
        };
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }
}

using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Finds where a partition's offsets lie. The answer is a hint: a slab may be gone by the time it is read, then ask again. What it says of a span is
/// true for as long as its slab is there, so an active segment is told up to where it was committed, never beyond: it may end there, and the partition come
/// back to the same slab later, so that what lies there beyond is not what comes next.
/// </summary>
internal static class SegmentMap
{
    private const int SpansPerQuestion = 16;

    private const string Question = """
        SELECT slab_id, base_offset, end_offset, (SELECT log_start_offset FROM granary.heads WHERE partition_id = $1) FROM (
            SELECT slab_id, base_offset, end_offset FROM granary.segments WHERE partition_id = $1 AND end_offset > $2
            UNION ALL
            SELECT slab_id, segment_base, next_offset FROM granary.heads WHERE partition_id = $1 AND slab_id <> 0 AND next_offset > $2) s
        ORDER BY base_offset LIMIT $3
        """;

    private const string List = """
        SELECT base_offset, end_offset, bytes, max_timestamp, created_at, slab_id, false FROM granary.segments WHERE partition_id = $1
        UNION ALL
        SELECT segment_base, next_offset, segment_bytes, segment_max_timestamp, segment_created_at, slab_id, true
            FROM granary.heads WHERE partition_id = $1 AND slab_id <> 0
        ORDER BY 1
        """;

    /// <summary>The span that holds the offset, or, where that lies below the log start, the first one after it; null where none is.</summary>
    /// <exception cref="InvalidDataException">The partition's segments have a hole there.</exception>
    public static async Task<SegmentSpan?> FindAsync(
        NpgsqlConnection connection, OwnedLog owner, long offset, bool afresh, CancellationToken cancellation)
    {
        if (!afresh && InKnown(owner, offset) is { } known)
            return known;
        await using var command = new NpgsqlCommand(Question, connection)
        {
            Parameters = { new() { Value = owner.Id }, new() { Value = offset }, new() { Value = SpansPerQuestion } },
        };
        var spans = new List<SegmentSpan>();
        var logStart = 0L;
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                spans.Add(new SegmentSpan(reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2)));
                logStart = reader.GetInt64(3);
            }
        }

        if (spans.Count == 0)
            return null;
        if (spans[0].BaseOffset > offset && offset >= logStart)
            throw new InvalidDataException($"The segments of {owner.Partition} lack the offsets from {offset} to {spans[0].BaseOffset}.");
        owner.Spans = [.. spans];
        return spans[0];
    }

    public static async Task<List<(StoredSegment Segment, int SlabId)>> ListAsync(
        NpgsqlConnection connection, int partitionId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(List, connection) { Parameters = { new() { Value = partitionId } } };
        var segments = new List<(StoredSegment, int)>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var segment = new StoredSegment(
                reader.GetInt64(0),
                reader.GetInt64(1),
                reader.GetInt64(2),
                reader.GetInt64(3),
                new DateTimeOffset(reader.GetDateTime(4)),
                reader.GetBoolean(6));
            segments.Add((segment, reader.GetInt32(5)));
        }

        return segments;
    }

    private static SegmentSpan? InKnown(OwnedLog owner, long offset)
    {
        foreach (var span in owner.Spans)
        {
            if (span.Holds(offset))
                return span;
        }

        // A reader near the end goes by what was written last: else it would ask the map at every read.
        return owner.Written is { } written && written.Holds(offset) ? written : null;
    }
}

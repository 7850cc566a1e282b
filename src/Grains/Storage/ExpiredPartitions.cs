using Granary.Abstractions.Partitions;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>Looks for partitions that retention may have something to drop of, by heads and segments alone. Touches no data.</summary>
internal static class ExpiredPartitions
{
    // A closed segment comes before the active one, which the head describes. Segments without times of their own count by their age: that lists
    // a partition too early at worst.
    private const string List = """
        SELECT h.topic_id, h.partition
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS b (topic_id, oldest_timestamp, max_bytes)
        JOIN granary.heads h ON h.topic_id = b.topic_id AND h.deleted_at IS NULL AND h.log_start_offset < h.next_offset
        LEFT JOIN LATERAL (
            SELECT s.max_timestamp, s.created_at, s.bytes FROM granary.segments s
            WHERE s.partition_id = h.partition_id ORDER BY s.base_offset LIMIT 1) AS first ON true
        WHERE (b.oldest_timestamp IS NOT NULL AND (first.created_at IS NOT NULL OR h.slab_id <> 0) AND b.oldest_timestamp > coalesce(
                nullif(coalesce(first.max_timestamp, h.segment_max_timestamp), -1),
                (extract(epoch FROM coalesce(first.created_at, h.segment_created_at)) * 1000)::bigint))
            OR (b.max_bytes IS NOT NULL AND first.created_at IS NOT NULL AND b.max_bytes <= h.segment_bytes - first.bytes + (
                SELECT sum(s.bytes) FROM granary.segments s WHERE s.partition_id = h.partition_id))
        LIMIT $4
        """;

    public static async Task<IReadOnlyList<PartitionId>> ListAsync(
        NpgsqlConnection connection, IReadOnlyList<RetentionBound> bounds, int limit, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(List, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. bounds.Select(static bound => bound.TopicId)] },
                new NpgsqlParameter<long?[]> { TypedValue = [.. bounds.Select(static bound => bound.OldestTimestamp)] },
                new NpgsqlParameter<long?[]> { TypedValue = [.. bounds.Select(static bound => bound.MaxBytes)] },
                new NpgsqlParameter<int> { TypedValue = limit },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        List<PartitionId> found = [];
        while (await reader.ReadAsync(cancellation))
            found.Add(new PartitionId(reader.GetGuid(0), reader.GetInt32(1)));
        return found;
    }
}

namespace Granary.Grains.Storage;

/// <summary>The SQL that opens many partitions at once. All arrays are parallel: $1 topic ids, $2 partitions.</summary>
internal static class OpenStatements
{
    /// <summary>$3: now.</summary>
    public const string Create = """
        INSERT INTO granary.heads (topic_id, partition, leader_epoch, log_start_offset, next_offset, slab_id, segment_base, segment_bytes,
            segment_max_timestamp, segment_created_at)
        SELECT v.topic_id, v.partition, -1, 0, 0, 0, 0, 0, -1, $3 FROM unnest($1::uuid[], $2::int[]) AS v (topic_id, partition)
        WHERE NOT EXISTS (SELECT FROM granary.heads h WHERE h.topic_id = v.topic_id AND h.partition = v.partition)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>
    /// The take-over: whoever held the partition is fenced from here on. An epoch under which nothing was appended is replaced by the new one.
    /// </summary>
    public const string Raise = $"""
        UPDATE granary.heads h SET leader_epoch = h.leader_epoch + 1
        FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS v (topic_id, partition, n)
        WHERE h.topic_id = v.topic_id AND h.partition = v.partition AND h.deleted_at IS NULL
        RETURNING v.n, h.partition_id, h.log_start_offset, {HeadRow.Columns}
        """;

    public const string ForgetUnusedEpochs = $"""
        DELETE FROM granary.leader_epochs e USING {Opened} h
        WHERE e.partition_id = h.partition_id AND e.start_offset >= h.next_offset
        """;

    public const string AddEpoch = $"""
        INSERT INTO granary.leader_epochs (partition_id, leader_epoch, start_offset)
        SELECT h.partition_id, h.leader_epoch, h.next_offset FROM {Opened} h
        """;

    public const string Epochs = $"""
        SELECT e.partition_id, e.leader_epoch, e.start_offset FROM {Opened} h
        JOIN granary.leader_epochs e ON e.partition_id = h.partition_id ORDER BY e.partition_id, e.leader_epoch
        """;

    public const string Snapshots = $"""
        SELECT p.partition_id, p.as_of_offset, p.snapshot FROM {Opened} h
        JOIN granary.producer_snapshots p ON p.partition_id = h.partition_id
        """;

    private const string Opened = """
        (SELECT o.* FROM unnest($1::uuid[], $2::int[]) AS v (topic_id, partition)
            JOIN granary.heads o ON o.topic_id = v.topic_id AND o.partition = v.partition AND o.deleted_at IS NULL)
        """;

    /// <summary>First bytes of the batches of one segment. $1: partition id, $2: from, $3: segment's base, $4: segment's end.</summary>
    public static string Headers(int slabId, int bytes)
    {
        var table = LogSchema.SlabTable(slabId);
        return $"""
            SELECT substring(data, 1, {bytes}) FROM {table}
            WHERE partition_id = $1 AND base_offset < $4 AND chunk = 0 AND end_offset > $2
                AND base_offset >= greatest($3, coalesce((SELECT base_offset FROM {table} WHERE partition_id = $1 AND base_offset <= $2
                    ORDER BY partition_id DESC, base_offset DESC LIMIT 1), $3))
            ORDER BY partition_id, base_offset
            """;
    }
}

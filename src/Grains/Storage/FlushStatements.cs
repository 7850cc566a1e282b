namespace Granary.Grains.Storage;

/// <summary>The SQL of a flush.</summary>
internal static class FlushStatements
{
    /// <summary>
    /// The fence: a head is moved only where it is exactly as the writer believes. An epoch that was raised, an offset that another
    /// writer took, or a segment that was closed behind its back each leave the row out. Answers the ordinals of those that passed.
    /// </summary>
    private const string ClaimUpdate = """
        UPDATE granary.heads h SET next_offset = v.end_offset, slab_id = v.slab_id, segment_base = v.segment_base,
            segment_bytes = v.segment_bytes, segment_max_timestamp = v.segment_max_timestamp, segment_created_at = v.segment_created_at
        FROM unnest($1::int[], $2::int[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[],
            $10::timestamptz[]) WITH ORDINALITY AS v (partition_id, leader_epoch, expected_offset, expected_slab, end_offset, slab_id,
            segment_base, segment_bytes, segment_max_timestamp, segment_created_at, n)
        WHERE h.partition_id = v.partition_id AND h.leader_epoch = v.leader_epoch AND h.next_offset = v.expected_offset
            AND h.slab_id = v.expected_slab
        """;

    public const string Claim = ClaimUpdate + "\nRETURNING v.n";

    public const string CloseSegments = """
        INSERT INTO granary.segments (partition_id, base_offset, end_offset, slab_id, bytes, max_timestamp, created_at)
        SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[], $6::bigint[], $7::timestamptz[])
        """;

    /// <summary>What the heads that did not pass look like.</summary>
    public const string LookAtHeads = $"SELECT h.partition_id, {HeadRow.Columns} FROM granary.heads h WHERE h.partition_id = ANY($1)";

    public static string Copy(int slabId) => $"COPY {LogSchema.SlabTable(slabId)} ({CopyRows.Columns}) FROM STDIN (FORMAT BINARY)";

    /// <summary>Fence and rows in one statement, for small flushes: rows of heads that did not pass are left out.</summary>
    public static string OneTrip(int slabId) => $"""
        WITH claimed AS ({ClaimUpdate}
            RETURNING v.n, h.partition_id),
        written AS (
            INSERT INTO {LogSchema.SlabTable(slabId)} ({CopyRows.Columns})
            SELECT r.* FROM unnest($11::bigint[], $12::bigint[], $13::bigint[], $14::int[], $15::int[], $16::int[], $17::bytea[])
                AS r (base_offset, end_offset, max_timestamp, partition_id, chunk, batch_bytes, data)
            WHERE r.partition_id IN (SELECT partition_id FROM claimed))
        SELECT n FROM claimed
        """;
}

namespace Granary.Grains.Storage;

/// <summary>The SQL of the history of resets. What was changed is one document: it is written once and read as a whole.</summary>
internal static class ResetStatements
{
    public const string Schema = """
        CREATE TABLE granary.group_resets (
            group_number int NOT NULL,
            reset_number bigint GENERATED ALWAYS AS IDENTITY,
            reset_id uuid NOT NULL,
            reset_at timestamptz NOT NULL,
            done_by text NOT NULL,
            reason text NOT NULL,
            while_active boolean NOT NULL,
            changes jsonb NOT NULL,
            PRIMARY KEY (group_number, reset_number),
            UNIQUE (group_number, reset_id));
        """;

    /// <summary>
    /// The rest of a flush with resets: $14 to $20 their entries, at most one of a group, $21 how many its history keeps. A flush that is written again
    /// finds its entries there. The trim sees the history as it was before, so it leaves one less.
    /// </summary>
    public const string Record = """
        , recorded AS (
            INSERT INTO granary.group_resets (group_number, reset_id, reset_at, done_by, reason, while_active, changes)
            SELECT v.group_number, v.reset_id, v.reset_at, v.done_by, v.reason, v.while_active, v.changes::jsonb
            FROM unnest($14::int[], $15::uuid[], $16::timestamptz[], $17::text[], $18::text[], $19::boolean[], $20::text[])
                AS v (group_number, reset_id, reset_at, done_by, reason, while_active, changes)
            WHERE v.group_number IN (SELECT group_number FROM fresh)
            ON CONFLICT DO NOTHING
            RETURNING group_number),
        trimmed AS (
            DELETE FROM granary.group_resets t USING recorded r, unnest($14::int[], $21::int[]) AS k (group_number, keep)
            WHERE k.group_number = r.group_number AND t.group_number = r.group_number AND t.reset_number <= (
                SELECT x.reset_number FROM granary.group_resets x WHERE x.group_number = r.group_number
                ORDER BY x.reset_number DESC OFFSET k.keep - 1 LIMIT 1))
        """;

    /// <summary>$1: cluster, $2: group, $3: how many.</summary>
    public const string List = """
        SELECT r.reset_id, r.reset_at, r.done_by, r.reason, r.while_active, r.changes::text
        FROM granary.group_resets r JOIN granary.groups g ON g.group_number = r.group_number
        WHERE g.cluster_id = $1 AND g.group_id = $2 ORDER BY r.reset_number DESC LIMIT $3
        """;
}

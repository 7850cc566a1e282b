namespace Granary.Grains.Storage;

/// <summary>The SQL of groups and their positions.</summary>
internal static class GroupStatements
{
    /// <summary>0: classic, as all groups were before there was the other protocol.</summary>
    public const string TypeColumn = "ALTER TABLE granary.groups ADD COLUMN group_type smallint NOT NULL DEFAULT 0";

    /// <summary>
    /// Which of its owner's flushes was the last to write to the group, and which one before. Each flush updates them, as it does the positions.
    /// </summary>
    public const string FlushColumns = """
        ALTER TABLE granary.groups ADD COLUMN flush bigint NOT NULL DEFAULT 0, ADD COLUMN flush_before bigint NOT NULL DEFAULT 0;
        ALTER TABLE granary.groups SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.5);
        """;

    /// <summary>
    /// Owner epochs come from one sequence, so that a group that was deleted and made again does not get an epoch that a former owner still holds.
    /// </summary>
    public const string Schema = """
        CREATE SEQUENCE granary.group_owner_epochs;
        CREATE TABLE granary.groups (
            cluster_id text NOT NULL,
            group_id text NOT NULL,
            group_number int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            owner_epoch bigint NOT NULL,
            protocol_type text NOT NULL,
            state smallint NOT NULL,
            UNIQUE (cluster_id, group_id)
        ) WITH (fillfactor = 50);
        CREATE TABLE granary.group_offset (
            group_number int NOT NULL,
            topic_id uuid NOT NULL,
            partition int NOT NULL,
            committed_offset bigint NOT NULL,
            leader_epoch int NOT NULL,
            metadata bytea NOT NULL,
            committed_at timestamptz NOT NULL,
            PRIMARY KEY (group_number, topic_id, partition)
        ) WITH (fillfactor = 50, autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.5);
        """;

    /// <summary>$1: cluster, $2: group.</summary>
    public const string Open = """
        UPDATE granary.groups SET owner_epoch = nextval('granary.group_owner_epochs'), flush = 0 WHERE cluster_id = $1 AND group_id = $2
        RETURNING group_number, owner_epoch
        """;

    /// <summary>$3: groups there may be; $4: the state of a new one.</summary>
    public const string Create = """
        INSERT INTO granary.groups AS g (cluster_id, group_id, owner_epoch, protocol_type, state)
        SELECT $1, $2, nextval('granary.group_owner_epochs'), '', $4::smallint
        WHERE (SELECT count(*) FROM granary.groups o WHERE o.cluster_id = $1) < $3
        ON CONFLICT (cluster_id, group_id) DO UPDATE SET owner_epoch = excluded.owner_epoch, flush = 0
        RETURNING group_number, owner_epoch
        """;

    public const string Offsets = """
        SELECT topic_id, partition, committed_offset, leader_epoch, metadata, committed_at FROM granary.group_offset WHERE group_number = $1
        """;

    /// <summary>
    /// One flush: $1 and $2 the owners, $3 to $9 positions, $10 to $12 what is forgotten, $13 the flush's number, which grows with each flush of a silo. A group's
    /// row is locked until the commit, and whoever waits for an opening or another flush sees what it left: so a position is written only by who owns its group
    /// at that moment, and once. A copy of the flush that was given up and sent again, and is carried out late, finds its own number or a later one.
    /// Returns who owns its group; what it says is written then, by this copy or a former one.
    /// </summary>
    public const string Write = Written + "\n" + Owners;

    /// <summary>A flush with resets, which are written in the same transaction: more parameters, see <see cref="ResetStatements.Record"/>.</summary>
    public const string WriteWithResets = Written + "\n" + ResetStatements.Record + "\n" + Owners;

    private const string Owners = "SELECT group_number FROM owned";

    private const string Written = """
        WITH owned AS (
            UPDATE granary.groups g SET flush = greatest(g.flush, $13::bigint), flush_before = g.flush
            FROM unnest($1::int[], $2::bigint[]) AS o (group_number, owner_epoch)
            WHERE g.group_number = o.group_number AND g.owner_epoch = o.owner_epoch
            RETURNING g.group_number, g.flush_before < $13::bigint AS is_new),
        fresh AS (SELECT group_number FROM owned WHERE is_new),
        written AS (
            INSERT INTO granary.group_offset (group_number, topic_id, partition, committed_offset, leader_epoch, metadata, committed_at)
            SELECT v.* FROM unnest($3::int[], $4::uuid[], $5::int[], $6::bigint[], $7::int[], $8::bytea[], $9::timestamptz[])
                AS v (group_number, topic_id, partition, committed_offset, leader_epoch, metadata, committed_at)
            WHERE v.group_number IN (SELECT group_number FROM fresh)
            ON CONFLICT (group_number, topic_id, partition) DO UPDATE SET committed_offset = excluded.committed_offset,
                leader_epoch = excluded.leader_epoch, metadata = excluded.metadata, committed_at = excluded.committed_at),
        forgotten AS (
            DELETE FROM granary.group_offset p
            USING unnest($10::int[], $11::uuid[], $12::int[]) AS d (group_number, topic_id, partition), fresh
            WHERE d.group_number = fresh.group_number AND p.group_number = d.group_number AND p.topic_id = d.topic_id AND p.partition = d.partition)
        """;

    /// <summary>$1: group, $2: owner epoch, $3: protocol type, $4: state.</summary>
    public const string Note = "UPDATE granary.groups SET protocol_type = $3, state = $4, group_type = $5 WHERE group_number = $1 AND owner_epoch = $2";

    public const string Delete = """
        WITH gone AS (DELETE FROM granary.groups WHERE group_number = $1 AND owner_epoch = $2 RETURNING group_number),
        offsets AS (DELETE FROM granary.group_offset WHERE group_number IN (SELECT group_number FROM gone)),
        resets AS (DELETE FROM granary.group_resets WHERE group_number IN (SELECT group_number FROM gone))
        SELECT count(*) FROM gone
        """;

    public const string List = "SELECT group_id, protocol_type, state, group_type FROM granary.groups WHERE cluster_id = $1 ORDER BY group_id";

    /// <summary>$1: cluster, $2: a time, $3: topics that live, $4: how many, $5: the state without members, $6: only groups with a higher number.</summary>
    public const string ListExpired = """
        SELECT g.group_id, g.group_number FROM granary.groups g WHERE g.cluster_id = $1 AND g.group_number > $6 AND (
            EXISTS (SELECT FROM granary.group_offset o WHERE o.group_number = g.group_number AND (o.committed_at < $2 OR o.topic_id <> ALL($3)))
            OR (g.state = $5 AND NOT EXISTS (SELECT FROM granary.group_offset o WHERE o.group_number = g.group_number)))
        ORDER BY g.group_number LIMIT $4
        """;
}

using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// The tables, in PostgreSQL schema <c>granary</c>. Created by whichever silo is first, under one advisory lock; safe to repeat. A change
/// of the tables is a new entry in <see cref="_versions"/>, never an edit of an old one.
/// </summary>
internal static class LogSchema
{
    /// <summary>Advisory locks of this store: an arbitrary first key, and one second key for each use.</summary>
    public const int LockSpace = 0x6772616E;

    public const int SchemaLock = 1;
    public const int SlabCreationLock = 2;
    public const int KeeperLock = 3;

    private static readonly string[] _versions =
    [
        Version1, GroupStatements.Schema, IdempotencyKeys.Schema, ResetStatements.Schema, GroupStatements.TypeColumn, GroupStatements.FlushColumns,
    ];

    // heads: updated by every flush; much free space in each page keeps these updates heap-only (no index is touched), as no indexed column
    // changes. slab_id 0: no active segment. A deleted partition's row stays for a while as a mark.
    // segments: the closed ones; an active segment is described by its head.
    private const string Version1 = """
        CREATE TABLE granary.slabs (
            slab_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            family int NOT NULL,
            created_at timestamptz NOT NULL,
            closed_at timestamptz);
        CREATE UNIQUE INDEX slabs_open ON granary.slabs (family) WHERE closed_at IS NULL;

        CREATE TABLE granary.heads (
            topic_id uuid NOT NULL,
            partition int NOT NULL,
            partition_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            leader_epoch int NOT NULL,
            log_start_offset bigint NOT NULL,
            next_offset bigint NOT NULL,
            slab_id int NOT NULL,
            segment_base bigint NOT NULL,
            segment_bytes bigint NOT NULL,
            segment_max_timestamp bigint NOT NULL,
            segment_created_at timestamptz NOT NULL,
            deleted_at timestamptz,
            UNIQUE (topic_id, partition)
        ) WITH (fillfactor = 25, autovacuum_vacuum_cost_delay = 0);

        CREATE TABLE granary.segments (
            partition_id int NOT NULL,
            base_offset bigint NOT NULL,
            end_offset bigint NOT NULL,
            slab_id int NOT NULL,
            bytes bigint NOT NULL,
            max_timestamp bigint NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (partition_id, base_offset));
        CREATE INDEX segments_slab ON granary.segments (slab_id);

        CREATE TABLE granary.leader_epochs (
            partition_id int NOT NULL,
            leader_epoch int NOT NULL,
            start_offset bigint NOT NULL,
            PRIMARY KEY (partition_id, leader_epoch));

        CREATE TABLE granary.producer_snapshots (
            partition_id int PRIMARY KEY,
            as_of_offset bigint NOT NULL,
            snapshot bytea NOT NULL);
        """;

    /// <summary>Changes nothing.</summary>
    /// <exception cref="NewerSchemaException">The database was made by a newer version.</exception>
    public static async Task RefuseNewerAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var isThere = new NpgsqlCommand("SELECT to_regclass('granary.schema_version') IS NOT NULL", connection);
        if (await isThere.ExecuteScalarAsync(cancellation) is true)
            RefuseNewer(await PresentVersionAsync(connection, cancellation));
    }

    public static async Task CreateAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await ExecuteAsync(connection, Sessions.Keepalives, cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({LockSpace}, {SchemaLock})", cancellation);
        await ExecuteAsync(
            connection,
            """
            CREATE SCHEMA IF NOT EXISTS granary;
            CREATE TABLE IF NOT EXISTS granary.schema_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
            """,
            cancellation);
        var present = await PresentVersionAsync(connection, cancellation);
        RefuseNewer(present);
        for (var version = present + 1; version <= _versions.Length; version++)
        {
            await ExecuteAsync(connection, _versions[version - 1], cancellation);
            await ExecuteAsync(connection, $"INSERT INTO granary.schema_version (version) VALUES ({version})", cancellation);
        }

        await transaction.CommitAsync(cancellation);
    }

    /// <summary>The name of a slab's table.</summary>
    public static string SlabTable(int slabId) => $"granary.slab_{slabId}";

    /// <summary>
    /// Rows stay inline and uncompressed; nothing is vacuumed: rows are only added, and the table is dropped whole.
    /// </summary>
    public static string CreateSlab(int slabId) => $"""
        CREATE TABLE {SlabTable(slabId)} (
            base_offset bigint NOT NULL,
            end_offset bigint NOT NULL,
            max_timestamp bigint NOT NULL,
            partition_id int NOT NULL,
            chunk int NOT NULL,
            batch_bytes int NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (partition_id, base_offset, chunk)
        ) WITH (toast_tuple_target = {BatchChunks.ToastTupleTarget}, autovacuum_enabled = off);
        ALTER TABLE {SlabTable(slabId)} ALTER COLUMN data SET STORAGE EXTERNAL
        """;

    private static void RefuseNewer(int present)
    {
        if (present > _versions.Length)
            throw new NewerSchemaException(present, _versions.Length);
    }

    private static async Task<int> PresentVersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM granary.schema_version", connection);
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}

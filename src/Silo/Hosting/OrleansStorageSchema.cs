using Granary.Gateway.Hosting;
using Granary.Silo.Clustering;
using Npgsql;

namespace Granary.Silo.Hosting;

/// <summary>
/// The table and the queries that Microsoft.Orleans.Persistence.AdoNet reads from `OrleansQuery`. Its contract: parameters name a grain by the
/// hash and text of its type, its id as two longs and an extension, and the service; a write gives the version it replaces (null: none
/// yet) and answers one row with the new version, or with the one that was given where another writer was first.
/// </summary>
internal static class OrleansStorageSchema
{
    private const string GrainMatches = """
        graintypehash = @GrainTypeHash AND grainidhash = @GrainIdHash AND grainidn0 = @GrainIdN0 AND grainidn1 = @GrainIdN1
        AND graintypestring = @GrainTypeString AND serviceid = @ServiceId
        AND grainidextensionstring IS NOT DISTINCT FROM @GrainIdExtensionString::text
        """;

    private const string WriteToStorage = $"""
        WITH replaced AS (
            UPDATE orleansstorage SET payloadbinary = @PayloadBinary, modifiedon = now(), version = version + 1
            WHERE {GrainMatches} AND version = @GrainStateVersion::int
            RETURNING version),
        added AS (
            INSERT INTO orleansstorage (grainidhash, grainidn0, grainidn1, graintypehash, graintypestring, grainidextensionstring, serviceid, payloadbinary, modifiedon, version)
            SELECT @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, @GrainIdExtensionString::text, @ServiceId, @PayloadBinary, now(), 1
            WHERE @GrainStateVersion::int IS NULL
            ON CONFLICT DO NOTHING
            RETURNING version)
        SELECT coalesce((SELECT version FROM replaced), (SELECT version FROM added), @GrainStateVersion::int) AS NewGrainStateVersion
        """;

    private const string ReadFromStorage = $"""
        SELECT payloadbinary AS PayloadBinary, now() AT TIME ZONE 'utc' AS ModifiedOn, version AS Version FROM orleansstorage WHERE {GrainMatches}
        """;

    private const string ClearStorage = $"""
        WITH cleared AS (
            UPDATE orleansstorage SET payloadbinary = NULL, modifiedon = now(), version = version + 1
            WHERE {GrainMatches} AND version = @GrainStateVersion::int
            RETURNING version)
        SELECT coalesce((SELECT version FROM cleared), @GrainStateVersion::int) AS NewGrainStateVersion
        """;

    private const string DeleteStorage = $"""
        WITH deleted AS (
            DELETE FROM orleansstorage WHERE {GrainMatches} AND version = @GrainStateVersion::int
            RETURNING version + 1 AS version)
        SELECT coalesce((SELECT version FROM deleted), @GrainStateVersion::int) AS NewGrainStateVersion
        """;

    private const string Tables = """
        CREATE TABLE IF NOT EXISTS orleansquery (querykey text PRIMARY KEY, querytext text NOT NULL);
        CREATE TABLE IF NOT EXISTS orleansstorage (
            grainidhash int NOT NULL,
            grainidn0 bigint NOT NULL,
            grainidn1 bigint NOT NULL,
            graintypehash int NOT NULL,
            graintypestring text NOT NULL,
            grainidextensionstring text,
            serviceid text NOT NULL,
            payloadbinary bytea,
            modifiedon timestamptz NOT NULL,
            version int NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS orleansstorage_grain ON orleansstorage
            (grainidhash, graintypehash, grainidn0, grainidn1, graintypestring, serviceid, coalesce(grainidextensionstring, ''));
        CREATE TABLE IF NOT EXISTS node (node_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cluster_id text NOT NULL, silo_name text NOT NULL, UNIQUE (cluster_id, silo_name));
        """;

    private static readonly (string Key, string Text)[] s_queries =
    [
        ("WriteToStorageKey", WriteToStorage),
        ("ReadFromStorageKey", ReadFromStorage),
        ("ClearStorageKey", ClearStorage),
        ("DeleteStorageKey", DeleteStorage),
    ];

    /// <summary>Raised by every change of the tables that an older program would not understand.</summary>
    private const int Version = 1;

    /// <summary>The schema of the database in which all of Granary lies; it is first in the search path of every connection.</summary>
    public const string Schema = "granary";

    /// <summary>Makes what is missing. Safe to repeat, and for several silos that start at once: the first does it, the others wait.</summary>
    public static async Task EnsureAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtext('granary.orleans'))", cancellation);
        await ExecuteAsync(connection, $"CREATE SCHEMA IF NOT EXISTS {Schema}", cancellation);
        await ExecuteAsync(connection, $"SET LOCAL search_path = {Schema}", cancellation);
        await ExecuteAsync(connection, "SET LOCAL client_min_messages = warning", cancellation);
        await CheckVersionAsync(connection, cancellation);
        await ExecuteAsync(connection, Tables, cancellation);
        await ExecuteAsync(connection, MemberRows.Columns, cancellation);
        await ExecuteAsync(connection, OrleansClusteringQueries.Tables, cancellation);
        foreach (var (key, text) in s_queries.Concat(OrleansClusteringQueries.All))
        {
            await using var command = new NpgsqlCommand(
                "INSERT INTO orleansquery (querykey, querytext) VALUES ($1, $2) ON CONFLICT (querykey) DO UPDATE SET querytext = excluded.querytext", connection);
            command.Parameters.AddWithValue(key);
            command.Parameters.AddWithValue(text);
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await transaction.CommitAsync(cancellation);
    }

    /// <summary>A database that a newer version has changed is left alone.</summary>
    private static async Task CheckVersionAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await ExecuteAsync(connection, "CREATE TABLE IF NOT EXISTS schema_version (version int NOT NULL)", cancellation);
        await using var command = new NpgsqlCommand("SELECT max(version) FROM schema_version", connection);
        var found = await command.ExecuteScalarAsync(cancellation) as int?;
        if (found > Version)
            throw new StartException(ExitCode.NewerSchema, $"The database has schema version {found}; this program knows version {Version} and older. Start a newer one.");
        if (found is null)
            await ExecuteAsync(connection, $"INSERT INTO schema_version VALUES ({Version})", cancellation);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}

using Granary.Silo.Hosting;
using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>Kafka's clients want small numbers for brokers: one row for each silo's name, given once and kept.</summary>
internal static class NodeNumber
{
    private const int MaxNamed = 10;

    /// <summary>The other clusters in this database, where none of this one's silos was ever in it: the id may be mistyped. Not all, where they are many.</summary>
    public static async Task<IReadOnlyList<string>> OthersWithoutOursAsync(NpgsqlDataSource source, string clusterId, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"""
            SELECT DISTINCT cluster_id FROM {OrleansStorageSchema.Schema}.node
            WHERE NOT EXISTS (SELECT FROM {OrleansStorageSchema.Schema}.node WHERE cluster_id = $1)
            ORDER BY cluster_id LIMIT $2
            """);
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(MaxNamed);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new List<string>();
        while (await reader.ReadAsync(cancellation))
            found.Add(reader.GetString(0));
        return found;
    }

    /// <remarks>
    /// Whoever meets another that adds the same name updates its row, to be told its number: the row is not in the snapshot of this statement.
    /// </remarks>
    public static async Task<int> OfAsync(NpgsqlDataSource source, string clusterId, string siloName, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"""
            WITH added AS (
                INSERT INTO {OrleansStorageSchema.Schema}.node (cluster_id, silo_name)
                SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM {OrleansStorageSchema.Schema}.node WHERE cluster_id = $1 AND silo_name = $2)
                ON CONFLICT (cluster_id, silo_name) DO UPDATE SET silo_name = excluded.silo_name
                RETURNING node_id)
            SELECT node_id FROM added UNION ALL
            SELECT node_id FROM {OrleansStorageSchema.Schema}.node WHERE cluster_id = $1 AND silo_name = $2
            LIMIT 1
            """);
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(siloName);
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    }
}

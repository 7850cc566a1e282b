using Granary.Silo.Hosting;
using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>Kafka's clients want small numbers for brokers: one row for each silo's name, given once and kept.</summary>
internal static class NodeNumber
{
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

using System.Collections.Immutable;
using System.Text.Json;
using Granary.Abstractions.Cluster;
using Granary.Silo.Hosting;
using Npgsql;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>What Orleans' membership does not say of a silo: its number, where clients reach it, whether it drains. A row per silo name, in table `node`.</summary>
internal sealed class MemberRows(NpgsqlDataSource source, string clusterId)
{
    public const string Columns = """
        ALTER TABLE node ADD COLUMN IF NOT EXISTS silo_address text;
        ALTER TABLE node ADD COLUMN IF NOT EXISTS endpoints jsonb NOT NULL DEFAULT '[]';
        ALTER TABLE node ADD COLUMN IF NOT EXISTS is_draining boolean NOT NULL DEFAULT false;
        """;

    private const string Table = $"{OrleansStorageSchema.Schema}.node";

    /// <summary>This run of the silo takes part from now on.</summary>
    public async Task RegisterAsync(string siloName, SiloAddress silo, IEnumerable<MemberEndpoint> endpoints, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            $"UPDATE {Table} SET silo_address = $3, endpoints = $4::jsonb, is_draining = false WHERE cluster_id = $1 AND silo_name = $2");
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(siloName);
        command.Parameters.AddWithValue(silo.ToParsableString());
        command.Parameters.AddWithValue(JsonSerializer.Serialize(endpoints));
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>This run of the silo hands over what it has.</summary>
    public async Task DrainAsync(SiloAddress silo, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"UPDATE {Table} SET is_draining = true WHERE cluster_id = $1 AND silo_address = $2");
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(silo.ToParsableString());
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>All silos that ever took part, each as it last did.</summary>
    public async Task<ImmutableDictionary<SiloAddress, SiloMember>> ReadAsync(CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            $"SELECT node_id, silo_name, silo_address, endpoints::text, is_draining FROM {Table} WHERE cluster_id = $1 AND silo_address IS NOT NULL");
        command.Parameters.AddWithValue(clusterId);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var members = ImmutableDictionary.CreateBuilder<SiloAddress, SiloMember>();
        while (await reader.ReadAsync(cancellation))
        {
            var silo = SiloAddress.FromParsableString(reader.GetString(2));
            var endpoints = JsonSerializer.Deserialize<ImmutableArray<MemberEndpoint>>(reader.GetString(3));
            members[silo] = new SiloMember(reader.GetInt32(0), reader.GetString(1), silo, endpoints, reader.GetBoolean(4));
        }

        return members.ToImmutable();
    }
}

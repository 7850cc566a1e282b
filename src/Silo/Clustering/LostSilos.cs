using System.Net;
using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>
/// Before a silo joins: takes those out of Orleans' membership whose processes are gone and whom nobody was left to declare dead, so that the
/// first silo after a power cut need not wait for them. Gone is: nobody holds the name's lock, and the port refuses connections.
/// </summary>
internal sealed class LostSilos(NpgsqlDataSource source, string clusterId)
{
    private const int Dead = 6;

    private static readonly TimeSpan s_connectLimit = TimeSpan.FromSeconds(1);

    /// <param name="ownName">Held by this process: whatever run has it in the membership is over.</param>
    /// <returns>How many were taken out.</returns>
    public async Task<int> BuryAsync(string ownName, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        var buried = 0;
        foreach (var (name, endpoint, generation) in await ListAsync(connection, cancellation))
        {
            if (name == ownName || (await SiloClaim.IsFreeAsync(connection, clusterId, name, cancellation) && await PortProbe.RefusesAsync(endpoint, s_connectLimit, cancellation)))
                buried += await BuryAsync(connection, endpoint, generation, cancellation);
        }

        return buried;
    }

    private async Task<List<(string Name, IPEndPoint EndPoint, int Generation)>> ListAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "SELECT siloname, address, port, generation FROM orleansmembershiptable WHERE deploymentid = $1 AND status <> $2", connection);
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(Dead);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new List<(string, IPEndPoint, int)>();
        while (await reader.ReadAsync(cancellation))
            found.Add((reader.GetString(0), new IPEndPoint(IPAddress.Parse(reader.GetString(1)), reader.GetInt32(2)), reader.GetInt32(3)));
        return found;
    }

    /// <summary>As Orleans would: the member's row and the membership's version change together.</summary>
    private async Task<int> BuryAsync(NpgsqlConnection connection, IPEndPoint endpoint, int generation, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH buried AS (
                UPDATE orleansmembershiptable SET status = $2
                WHERE deploymentid = $1 AND address = $3 AND port = $4 AND generation = $5 AND status <> $2
                RETURNING 1)
            UPDATE orleansmembershipversiontable SET version = version + 1, changed = now() WHERE deploymentid = $1 AND EXISTS (SELECT FROM buried)
            """, connection);
        command.Parameters.AddWithValue(clusterId);
        command.Parameters.AddWithValue(Dead);
        command.Parameters.AddWithValue(endpoint.Address.ToString());
        command.Parameters.AddWithValue(endpoint.Port);
        command.Parameters.AddWithValue(generation);
        return await command.ExecuteNonQueryAsync(cancellation);
    }
}

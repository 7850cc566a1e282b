using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>
/// PostgreSQL cleans no version of a row up that is younger than the oldest snapshot that anybody holds. The heads of partitions are updated thousands of
/// times a second: a silo that held one snapshot for its lifetime would make every update dearer than the one before.
/// </summary>
public sealed class HeldSnapshotsTests
{
    [Fact]
    public async Task SilosThatWatchOneAnother_HoldNoSnapshot()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 2 });
        await using var database = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString);
        await Eventually.HoldsAsync("both silos watch each other", async () =>
            await ScalarAsync<long>(database, "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%advisory_lock_shared%'") == 2);
        var from = await ScalarAsync<DateTime>(database, "SELECT now()");
        await Eventually.HoldsAsync("every session that holds a snapshot took it later", async () =>
            await ScalarAsync<long>(database, "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND xact_start <= $1", from) == 0);
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.AddWithValue(value);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}

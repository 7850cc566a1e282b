using System.Diagnostics;
using System.Net.Sockets;
using Granary.Cluster.Apis;
using Granary.Gateway.Hosting;
using Granary.Silo.Postgres;
using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>A silo that is asked to stop.</summary>
public sealed class StopTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stop_WithAProduceInFlight_AnswersItStopsPostgresAndLosesNothing()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        var topic = await silo.NewFilledTopicAsync(1);
        for (var round = 1; round <= 2; round++)
        {
            var server = Assert.NotNull(silo.PostgresProcessId());
            await using var client = await silo.ConnectAsync();
            await using var blocker = new NpgsqlConnection(silo.PostgresConnectionString + ";Pooling=false");
            await blocker.OpenAsync(Cancellation);
            var transaction = await blocker.BeginTransactionAsync(Cancellation);
            await ExecuteAsync(blocker, "SELECT FROM granary.heads FOR UPDATE");
            var produce = client.ProduceAsync(topic, 0, 1);
            await using var watcher = NpgsqlDataSource.Create(silo.PostgresConnectionString);
            await Eventually.HoldsAsync("the append waits in PostgreSQL", async () => await LanesThatWaitAsync(watcher) > 0);

            silo.AskToStop(likeCtrlC: round == 1);
            await Eventually.HoldsAsync("no new clients are taken", () => RefusesClientsAsync(silo));
            Assert.False(produce.IsCompleted);
            await transaction.RollbackAsync(Cancellation);

            await produce;
            Assert.Equal((int)ExitCode.Stopped, await silo.EndedAsync());
            Assert.Empty(silo.Errors);
            Assert.Null(silo.PostgresProcessId());
            await Eventually.HoldsAsync("the server has ended", () => HasEnded(server));
            await silo.RestartAsync();
            Assert.Equal(1 + round, await silo.EndOffsetAsync(topic));
        }
    }

    [Fact]
    public async Task Stop_WhileItStarts_StopsPostgresToo()
    {
        var folder = TestFolders.New();
        try
        {
            await using var silo = SiloProcess.Launch(new SiloProcessOptions { DataFolder = folder });
            await Eventually.HoldsAsync("PostgreSQL starts", () => silo.PostgresProcessId() is not null);

            silo.AskToStop();

            Assert.Equal((int)ExitCode.Stopped, await silo.EndedAsync());
            Assert.Empty(silo.Errors);
            Assert.Null(silo.PostgresProcessId());
            await using var next = await EmbeddedPostgres.StartAsync(folder);
        }
        finally
        {
            TestFolders.Delete(folder);
        }
    }

    private static async Task<bool> RefusesClientsAsync(SiloProcess silo)
    {
        try
        {
            await using var client = await silo.ConnectAsync();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static bool HasEnded(int id)
    {
        try
        {
            // One that has ended and that nobody has asked for its exit code yet has no command line any more.
            using var process = Process.GetProcessById(id);
            return OperatingSystem.IsLinux() && File.ReadAllText($"/proc/{id}/cmdline").Length == 0;
        }
        catch (Exception failure) when (failure is ArgumentException or IOException)
        {
            return true;
        }
    }

    private static async Task<long> LanesThatWaitAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'granary lane' AND wait_event_type = 'Lock'");
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}

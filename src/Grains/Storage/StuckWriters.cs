using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// A silo that stops (not: dies) in the middle of a flush keeps the rows of its partitions' heads locked, and whoever opens one of
/// them waits. When an opening has waited for long, the transactions it waits for are ended, where they are a lane's that PostgreSQL itself
/// is waiting for. Ending them is safe: they roll back, as if the silo had died.
/// </summary>
internal sealed class StuckWriters(NpgsqlDataSource source, StorageOptions options, TimeProvider time, StorageDiagnostics diagnostics)
{
    // Found first, ended then: in one WHERE the order in which conditions are asked is PostgreSQL's choice.
    private const string End = """
        WITH stuck AS MATERIALIZED (
            SELECT a.pid FROM pg_stat_activity a
            WHERE a.pid = ANY(pg_blocking_pids($1)) AND a.application_name = $2 AND a.wait_event = 'ClientRead'
                AND a.state_change < clock_timestamp() - make_interval(secs => $3))
        SELECT count(*) FROM (SELECT pg_terminate_backend(pid) AS ended FROM stuck OFFSET 0) s WHERE ended
        """;

    /// <summary>Watches one waiting connection until it is disposed.</summary>
    public Watching Watch(int processId)
    {
        var done = new CancellationTokenSource();
        return new Watching(done, WatchAsync(processId, done.Token));
    }

    private async Task WatchAsync(int processId, CancellationToken done)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.StuckWriterAfter, time, done);
                await using var connection = await source.OpenConnectionAsync(done);
                await using var command = new NpgsqlCommand(End, connection)
                {
                    Parameters =
                    {
                        new() { Value = processId }, new() { Value = Sessions.LaneName }, new() { Value = options.StuckWriterAfter.TotalSeconds },
                    },
                };
                if (await command.ExecuteScalarAsync(done) is long ended and > 0)
                    diagnostics.StuckWritersEnded(ended);
            }
        }
        catch (OperationCanceledException)
        {
            // The opening is done.
        }
        catch (Exception failure) when (PostgresAway.Explains(failure))
        {
            diagnostics.WaitingForPostgres(failure.Message);
        }
    }

    /// <summary>Ends the watch when disposed.</summary>
    public readonly struct Watching(CancellationTokenSource done, Task watch) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await done.CancelAsync();
            await watch;
            done.Dispose();
        }
    }
}

namespace Granary.Silo.Postgres;

/// <summary>Whoever starts a server keeps it running: one that crashed or was killed is started again, until this is disposed of.</summary>
internal sealed class PostgresWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    private readonly EmbeddedPostgres _postgres;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    public PostgresWatch(EmbeddedPostgres postgres)
    {
        _postgres = postgres;
        _watching = WatchAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(s_interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    await _postgres.EnsureRunningAsync();
                }
                catch (Exception failure) when (!_stopping.IsCancellationRequested)
                {
                    await Console.Error.WriteLineAsync(failure.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}

using System.Collections.Concurrent;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// A bounded number of connections for one kind of work; whoever finds none free waits, in the order of coming. What runs on them must be safe to
/// repeat: when a connection turns out to be broken (PostgreSQL was restarted) the work runs once more on a fresh one.
/// </summary>
internal sealed class SessionPool(NpgsqlDataSource source, string name, int size, StorageOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _free = new(size);
    private readonly ConcurrentStack<NpgsqlConnection> _idle = new();

    /// <exception cref="StoreUnavailableException">PostgreSQL is not there, did not answer in time, or refused.</exception>
    public async Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        return await RunAndReleaseAsync(work, cancellation);
    }

    /// <summary>
    /// Asks what changes nothing. Whoever cancels is let go at once; a statement that is under way then runs on to its end or its limit, and its session is
    /// kept. To cancel it as well, Npgsql connects anew and blocks the thread that cancels: that would be a grain's, just when it is to end in a hurry.
    /// </summary>
    /// <param name="patience">How long to wait for a free session; null: <see cref="StorageOptions.ReadPatience"/>.</param>
    /// <exception cref="StoreUnavailableException">As above, or none was free in time.</exception>
    public async Task<T> AskAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> question, CancellationToken cancellation, TimeSpan? patience = null)
    {
        if (!await _free.WaitAsync(patience ?? options.ReadPatience, cancellation))
        {
            StorageMetrics.Failed("call");
            throw new StoreUnavailableException($"Other reads had all {size} connections of \"{name}\" for {options.ReadPatience.TotalSeconds:0.#} s.");
        }

        // Not on the caller's scheduler, which may be gone before the answer is there.
        var answer = Task.Run(() => RunAndReleaseAsync(question, CancellationToken.None), CancellationToken.None);
        answer.Ignore();
        return await answer.WaitAsync(cancellation);
    }

    private async Task<T> RunAndReleaseAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(options.StatementTimeout);
            return await RunOnOneAsync(work, limit.Token);
        }
        catch (Exception failure) when (IsUnavailable(failure) && !cancellation.IsCancellationRequested)
        {
            StorageMetrics.Failed("call");
            throw new StoreUnavailableException($"PostgreSQL did not do what the log asked: {failure.Message}", failure);
        }
        finally
        {
            _free.Release();
        }
    }

    private async Task<T> RunOnOneAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        while (_idle.TryPop(out var used))
        {
            try
            {
                return await RunAndKeepAsync(used, work, cancellation);
            }
            catch (Exception failure) when (IsUnavailable(failure) && !IsOpen(used) && !cancellation.IsCancellationRequested)
            {
                // Broken while idle; the others of its age may be as well. Each is tried once, then a fresh one.
            }
        }

        var fresh = await Sessions.OpenAsync(source, name, options.ConnectTimeout, cancellation);
        return await RunAndKeepAsync(fresh, work, cancellation);
    }

    private async Task<T> RunAndKeepAsync<T>(
        NpgsqlConnection connection, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await work(connection, cancellation);
        }
        finally
        {
            if (IsOpen(connection))
                _idle.Push(connection);
            else
                await connection.DisposeAsync();
        }
    }

    private static bool IsOpen(NpgsqlConnection connection) => connection.FullState == System.Data.ConnectionState.Open;

    private static bool IsUnavailable(Exception failure) => PostgresAway.Explains(failure) || failure is OperationCanceledException;

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryPop(out var connection))
            await connection.DisposeAsync();
    }
}

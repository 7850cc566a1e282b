using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>
/// A silo's name is its own: a session lock in PostgreSQL on a connection of its own, for as long as the process lives. A second silo of the same
/// name is refused, and the others see by this lock that the process has died (<see cref="DeathWatch"/>).
/// </summary>
internal sealed class SiloClaim : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);

    private readonly string _connectionString;
    private readonly string _space;
    private readonly string _siloName;
    private readonly CancellationTokenSource _stopping = new();
    private NpgsqlConnection? _connection;
    private Task _keeping = Task.CompletedTask;

    private SiloClaim(string connectionString, string clusterId, string siloName)
    {
        _connectionString = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        (_space, _siloName) = (Space(clusterId), siloName);
    }

    /// <summary>The locks of one cluster's names, as text; the name is the other half of the key.</summary>
    private static string Space(string clusterId) => $"granary.silo.{clusterId}";

    /// <summary>
    /// Takes the claim, waiting for <paramref name="patience"/> for the session of a silo that has just died to end. Null: another silo has the name.
    /// </summary>
    public static async Task<SiloClaim?> TakeAsync(string connectionString, string clusterId, string siloName, TimeSpan patience, CancellationToken cancellation)
    {
        var claim = new SiloClaim(connectionString, clusterId, siloName);
        for (var waited = TimeSpan.Zero; ; waited += s_interval)
        {
            if (await claim.TryTakeAsync(cancellation))
            {
                claim._keeping = claim.KeepAsync();
                return claim;
            }

            if (waited >= patience)
            {
                await claim.DisposeAsync();
                return null;
            }

            await Task.Delay(s_interval, cancellation);
        }
    }

    /// <summary>Whether no process holds that name now, asked without keeping it.</summary>
    public static async Task<bool> IsFreeAsync(NpgsqlConnection connection, string clusterId, string siloName, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH taken AS MATERIALIZED (SELECT pg_try_advisory_lock_shared(hashtext($1), hashtext($2)) AS got)
            SELECT CASE WHEN got THEN pg_advisory_unlock_shared(hashtext($1), hashtext($2)) ELSE false END FROM taken
            """, connection);
        command.Parameters.AddWithValue(Space(clusterId));
        command.Parameters.AddWithValue(siloName);
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _keeping;
        if (_connection is not null)
            await _connection.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task<bool> TryTakeAsync(CancellationToken cancellation)
    {
        if (_connection is null)
        {
            var connection = new NpgsqlConnection(_connectionString);
            await connection.OpenAsync(cancellation);
            _connection = connection;
        }

        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtext($1), hashtext($2))", _connection);
        command.Parameters.AddWithValue(_space);
        command.Parameters.AddWithValue(_siloName);
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>PostgreSQL forgets session locks when it restarts: the claim is taken again as soon as it is back.</summary>
    private async Task KeepAsync()
    {
        using var timer = new PeriodicTimer(s_interval);
        var held = true;
        while (await TickAsync(timer))
        {
            try
            {
                if (held)
                    await ProbeAsync();
                else
                    held = await TryTakeAsync(_stopping.Token);
            }
            catch (Exception lost) when (lost is NpgsqlException or InvalidOperationException or IOException or System.Net.Sockets.SocketException)
            {
                held = false;
                await DropConnectionAsync();
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ProbeAsync()
    {
        await using var command = new NpgsqlCommand("SELECT 1", _connection);
        await command.ExecuteScalarAsync(_stopping.Token);
    }

    private async Task DropConnectionAsync()
    {
        if (_connection is not { } connection)
            return;
        _connection = null;
        await connection.DisposeAsync();
    }

    private async Task<bool> TickAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

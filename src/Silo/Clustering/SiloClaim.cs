using System.Data;
using Granary.Grains.Storage;
using Npgsql;

namespace Granary.Silo.Clustering;

/// <summary>
/// A silo's name is its own: a session lock in PostgreSQL on a connection of its own, for as long as the process lives. A second silo of the same
/// name is refused, and the others see by this lock that the process has died (<see cref="DeathWatch"/>).
/// </summary>
internal sealed class SiloClaim : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Without it PostgreSQL would believe for two hours in the session of a machine that lost its power or its network, and refuse its next run the name.
    /// Sooner than a start gives up by default; without effect on a unix socket.
    /// </summary>
    private const string Keepalives = """
        SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '3', false)
        """;

    private readonly string _connectionString;
    private readonly string _space;
    private readonly string _siloName;
    private readonly CancellationTokenSource _stopping = new();
    private NpgsqlConnection? _connection;
    private Task _keeping = Task.CompletedTask;
    private ClusteringDiagnostics? _diagnostics;

    private SiloClaim(string connectionString, string clusterId, string siloName)
    {
        _connectionString = HurriedQuestions.UnpooledOf(connectionString);
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
            try
            {
                if (await claim.TryTakeAsync(cancellation))
                {
                    claim._keeping = claim.KeepAsync();
                    return claim;
                }
            }
            catch (Exception slow) when (PostgresAway.Explains(slow) && waited < patience)
            {
                // It was there a moment ago.
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

    /// <summary>Has it told when the claim is lost and taken again: at first there is nobody to tell.</summary>
    public void TellTo(ClusteringDiagnostics diagnostics) => _diagnostics = diagnostics;

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
        if (_connection is not { State: ConnectionState.Open })
        {
            await DropConnectionAsync();
            var connection = new NpgsqlConnection(_connectionString);
            _connection = connection;
            await connection.OpenAsync(cancellation);
            await using var keepalives = new NpgsqlCommand(Keepalives, connection);
            await keepalives.ExecuteNonQueryAsync(cancellation);
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
                else if (held = await TryTakeAsync(_stopping.Token))
                    _diagnostics?.ClaimHeldAgain();
            }
            catch (Exception lost) when (!_stopping.IsCancellationRequested)
            {
                if (held)
                    _diagnostics?.ClaimLost(PostgresAway.Explains(lost) ? null : lost, lost.Message);
                held = false;
            }
            catch (Exception)
            {
                // Stopping, however the connection takes it.
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

using System.Globalization;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>What one run of the keeper did. <paramref name="Ran"/> false: another silo's keeper was at it.</summary>
internal sealed record KeeperReport(bool Ran, int Rolled, int Dropped, int CopiedSegments, long CopiedBytes);

/// <summary>
/// Looks after slabs: begins the next one where the current is large or old, copies the living out of closed ones that are mostly dead, and
/// drops those in which nothing lives. One keeper of the cluster works at a time, by an advisory lock. A slab's life: open (appended
/// to), closed (only read; late writers that have not heard may still append), dropped.
/// </summary>
internal sealed class SlabKeeper(
    NpgsqlDataSource source, SlabDirectory slabs, StorageOptions options, TimeProvider time, StorageDiagnostics diagnostics)
{
    // A segment counts for the slab it lies in, the active ones by their heads.
    private const string Survey = """
        SELECT s.slab_id, s.family, s.created_at, s.closed_at, coalesce(l.bytes, 0)::bigint, coalesce(l.segments, 0)::bigint,
            coalesce(pg_table_size(to_regclass('granary.slab_' || s.slab_id)), 0)
        FROM granary.slabs s LEFT JOIN (
            SELECT slab_id, sum(bytes) AS bytes, count(*) AS segments FROM (
                SELECT slab_id, bytes FROM granary.segments UNION ALL SELECT slab_id, segment_bytes FROM granary.heads WHERE slab_id <> 0) live
            GROUP BY slab_id) l ON l.slab_id = s.slab_id
        ORDER BY s.slab_id
        """;

    // Below this a slab that is mostly dead is not worth a new one.
    private const int EarlyRollFraction = 16;

    // A lock has no age in PostgreSQL. What the session that has it did last is null where it is another role's.
    private static readonly string s_holder = $"""
        SELECT a.pid, coalesce(host(a.client_addr), 'a unix socket'), a.state_change FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid = {LogSchema.LockSpace} AND l.objid = {LogSchema.KeeperLock} AND l.objsubid = 2
        """;

    private readonly StuckKeeper _stuck = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _timer = Task.CompletedTask;

    public void Start() => _timer = Task.Run(RunByTimerAsync);

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _timer;
    }

    /// <summary>One run. Throws where PostgreSQL fails.</summary>
    public async Task<KeeperReport> RunAsync(CancellationToken cancellation)
    {
        await using var connection = await Sessions.OpenAsync(source, Sessions.KeeperName, options.ConnectTimeout, cancellation);
        if (!await TryLockAsync(connection, cancellation))
        {
            await LookAtHolderAsync(connection, cancellation);
            await slabs.RefreshAsync(cancellation);
            return new KeeperReport(false, 0, 0, 0, 0);
        }

        try
        {
            _stuck.Ran();
            return await RunLockedAsync(connection, cancellation);
        }
        finally
        {
            // A connection that is lost has lost its lock as well.
            if (connection.FullState == System.Data.ConnectionState.Open)
                await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LogSchema.LockSpace}, {LogSchema.KeeperLock})", CancellationToken.None);
        }
    }

    private async Task<KeeperReport> RunLockedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var rolled = 0;
        var dropped = 0;
        var forward = new CopyForward(connection, slabs, options);
        var before = await SurveyAsync(connection, cancellation);
        foreach (var slab in before)
        {
            if (!ShouldRoll(slab, options, now))
                continue;
            await slabs.RollAsync(slab.Family, slab.Id, cancellation);
            StorageMetrics.Slab("rolled");
            rolled++;
        }

        await slabs.RefreshAsync(cancellation);
        foreach (var slab in before)
        {
            if (!ShouldCopyForward(slab, options, now) || forward.Bytes >= options.CopyForwardBytesPerRun)
                continue;
            var (segments, bytes) = (forward.Segments, forward.Bytes);
            await forward.EmptyAsync(slab.Id, slab.Family, cancellation);
            diagnostics.CopiedForward(slab.Id, forward.Segments - segments, forward.Bytes - bytes);
        }

        foreach (var slab in await SurveyAsync(connection, cancellation))
        {
            if (slab.ClosedAt is not null && slab.LiveSegments == 0 && await TryDropAsync(connection, slab, cancellation))
                dropped++;
        }

        await ForgetDeletedAsync(connection, now, cancellation);
        return new KeeperReport(true, rolled, dropped, forward.Segments, forward.Bytes);
    }

    /// <summary>An open slab ends when it is large, old, or mostly dead and not small; an empty one goes on.</summary>
    public static bool ShouldRoll(in SlabState slab, StorageOptions options, DateTime now)
    {
        if (slab.ClosedAt is not null || slab.TableBytes == 0)
            return false;
        if (slab.TableBytes >= options.SlabBytes || now - slab.CreatedAt >= SlabFamily.SlabAge(slab.Family, options.SlabAge))
            return true;
        return slab.TableBytes >= options.SlabBytes / EarlyRollFraction && IsMostlyDead(slab, options);
    }

    /// <summary>A closed slab's living are copied out when they are few and retention has had its time to empty it.</summary>
    public static bool ShouldCopyForward(in SlabState slab, StorageOptions options, DateTime now) =>
        slab.ClosedAt is { } closed && slab.LiveSegments > 0 && now - closed >= options.CopyForwardAfter && IsMostlyDead(slab, options);

    private static bool IsMostlyDead(in SlabState slab, StorageOptions options) =>
        slab.LiveBytes < slab.TableBytes * options.CopyForwardLiveFraction;

    /// <summary>
    /// Drops the slab's table unless something points to it. The table's lock is the guard: a flush that has appended to it holds a lock
    /// that excludes ours until its transaction, which moves a head to this slab, has ended, and is then seen by the look that follows; a flush
    /// that comes later finds no table and goes to the current slab.
    /// </summary>
    private async Task<bool> TryDropAsync(NpgsqlConnection connection, SlabState slab, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellation);
        try
        {
            // Whoever queues behind a lock that waits, waits too: rather later than long.
            await ExecuteAsync(connection, "SET LOCAL lock_timeout = '200ms'", cancellation);
            await ExecuteAsync(connection, $"LOCK TABLE {LogSchema.SlabTable(slab.Id)} IN ACCESS EXCLUSIVE MODE", cancellation);
        }
        catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            diagnostics.SlabBusy(slab.Id);
            return false;
        }

        await using (var look = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM granary.segments WHERE slab_id = $1) OR EXISTS (SELECT FROM granary.heads WHERE slab_id = $1)", connection)
        {
            Parameters = { new() { Value = slab.Id } },
        })
        {
            if (await look.ExecuteScalarAsync(cancellation) is true)
                return false;
        }

        await ExecuteAsync(
            connection, $"DROP TABLE {LogSchema.SlabTable(slab.Id)}; DELETE FROM granary.slabs WHERE slab_id = {slab.Id}", cancellation);
        await transaction.CommitAsync(cancellation);
        diagnostics.SlabDropped(slab.Id, slab.TableBytes);
        StorageMetrics.Slab("dropped");
        return true;
    }

    private async Task ForgetDeletedAsync(NpgsqlConnection connection, DateTime now, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("DELETE FROM granary.heads WHERE deleted_at < $1", connection)
        {
            Parameters = { new() { Value = now - options.DeletedPartitionsKept } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static async Task<List<SlabState>> SurveyAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(Survey, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var states = new List<SlabState>();
        while (await reader.ReadAsync(cancellation))
        {
            DateTime? closed = await reader.IsDBNullAsync(3, cancellation) ? null : reader.GetDateTime(3);
            states.Add(new SlabState(
                reader.GetInt32(0), reader.GetInt32(1), reader.GetDateTime(2), closed, reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6)));
        }

        return states;
    }

    /// <summary>Also has PostgreSQL end a transaction of the session that hangs in the middle of one: it may have locked a whole slab.</summary>
    private async Task<bool> TryLockAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            $"""
            WITH limited AS MATERIALIZED (SELECT set_config('idle_in_transaction_session_timeout', $1, false))
            SELECT pg_try_advisory_lock({LogSchema.LockSpace}, {LogSchema.KeeperLock}) FROM limited
            """,
            connection)
        {
            Parameters = { new() { Value = Math.Clamp((long)options.StatementTimeout.TotalMilliseconds, 1, int.MaxValue).ToString(CultureInfo.InvariantCulture) } },
        };
        return await command.ExecuteScalarAsync(cancellation) is true;
    }

    private async Task LookAtHolderAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(s_holder, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        LockHolder? holder = null;
        if (await reader.ReadAsync(cancellation))
        {
            DateTime? lastDid = await reader.IsDBNullAsync(2, cancellation) ? null : reader.GetDateTime(2);
            holder = new LockHolder(reader.GetInt32(0), reader.GetString(1), lastDid);
        }

        if (_stuck.Missed(holder, time.GetUtcNow()) is { } since)
            diagnostics.KeeperStuck(since, holder!.Value.ProcessId, holder.Value.Client);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task RunByTimerAsync()
    {
        using var timer = new PeriodicTimer(options.KeeperInterval, time);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (await timer.WaitForNextTickAsync(_stop.Token))
                    await RunAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                diagnostics.KeeperFailed(failure);
            }
        }
    }
}

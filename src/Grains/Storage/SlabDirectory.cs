using System.Collections.Concurrent;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Which slab each family appends to now. May be behind another silo's keeper: writing into a slab that was closed meanwhile is
/// harmless, as a slab is dropped only under a lock that excludes writers and after a look that nothing points to it; a writer that comes
/// later finds no table, and asks again.
/// </summary>
internal sealed class SlabDirectory(NpgsqlDataSource source, StorageOptions options, TimeProvider time, StorageDiagnostics diagnostics)
{
    private readonly ConcurrentDictionary<int, int> _open = new();
    private readonly SemaphoreSlim _asking = new(1);

    /// <summary>The family's current slab; creates the first one.</summary>
    public ValueTask<int> GetOpenAsync(int family, CancellationToken cancellation) =>
        _open.TryGetValue(family, out var slab) ? ValueTask.FromResult(slab) : new ValueTask<int>(AskAsync(family, cancellation));

    /// <summary>Reads all of them again.</summary>
    public async Task RefreshAsync(CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand("SELECT family, slab_id FROM granary.slabs WHERE closed_at IS NULL", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            _open[reader.GetInt32(0)] = reader.GetInt32(1);
    }

    /// <summary>Closes the family's current slab, where it is still the given one, and begins the next. Answers the current one.</summary>
    public async Task<int> RollAsync(int family, int? closing, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.StatementTimeout);
        await using var connection = await Sessions.OpenAsync(source, Sessions.SlabsName, options.ConnectTimeout, limit.Token);
        await using var transaction = await connection.BeginTransactionAsync(limit.Token);
        var now = time.GetUtcNow().UtcDateTime;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"SELECT pg_advisory_xact_lock({LogSchema.LockSpace}, {LogSchema.SlabCreationLock})"),
                new("UPDATE granary.slabs SET closed_at = $1 WHERE slab_id = $2 AND closed_at IS NULL")
                {
                    Parameters = { new() { Value = now }, new() { Value = closing ?? 0 } },
                },
                new("SELECT slab_id FROM granary.slabs WHERE family = $1 AND closed_at IS NULL") { Parameters = { new() { Value = family } } },
            },
        };
        if (await ReadSlabIdAsync(batch, limit.Token) is not { } current)
        {
            await using var insert = new NpgsqlCommand(
                "INSERT INTO granary.slabs (family, created_at) VALUES ($1, $2) RETURNING slab_id", connection)
            {
                Parameters = { new() { Value = family }, new() { Value = now } },
            };
            current = (int)(await insert.ExecuteScalarAsync(limit.Token))!;
            await using var create = new NpgsqlCommand(LogSchema.CreateSlab(current), connection);
            await create.ExecuteNonQueryAsync(limit.Token);
            diagnostics.SlabBegun(current, family);
        }

        await transaction.CommitAsync(limit.Token);
        _open[family] = current;
        return current;
    }

    private static async Task<int?> ReadSlabIdAsync(NpgsqlBatch batch, CancellationToken cancellation)
    {
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        await reader.NextResultAsync(cancellation); // Past the lock's row; the update has none.
        return await reader.ReadAsync(cancellation) ? reader.GetInt32(0) : null;
    }

    private async Task<int> AskAsync(int family, CancellationToken cancellation)
    {
        await _asking.WaitAsync(cancellation);
        try
        {
            if (!_open.ContainsKey(family))
                await RefreshAsync(cancellation);
            return _open.TryGetValue(family, out var slab) ? slab : await RollAsync(family, closing: null, cancellation);
        }
        finally
        {
            _asking.Release();
        }
    }
}

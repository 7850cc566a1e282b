using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>Opens connections that plan as this store's statements want it: everything is found by key.</summary>
internal static class Sessions
{
    // Slabs are never analysed, so that the planner guesses; generic plans, and no scan of a whole slab, whatever it believes of it.
    // A server that acknowledges commits before they are on disk would break every promise made to producers.
    private const string Setup = $"""
        SELECT {KeepaliveSettings},
            set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false),
            set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),
            set_config('application_name', $1, false),
            set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                ELSE current_setting('synchronous_commit') END, false)
        """;

    // Without these PostgreSQL would believe for two hours in the session of a machine that lost its power or its network, or a quarter of an hour where an answer
    // was on its way (the fourth), and keep what it has locked. A cut of less than half a minute ends no session. Without effect on a unix socket.
    private const string KeepaliveSettings = """
        set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false),
            set_config('tcp_user_timeout', '30000', false)
        """;

    /// <summary>For a connection that is not of <see cref="OpenAsync"/>, before it locks anything.</summary>
    public const string Keepalives = $"SELECT {KeepaliveSettings}";

    /// <summary>The name under which lanes appear in pg_stat_activity; an opening that waits for one in the middle of a transaction looks for it.</summary>
    public const string LaneName = "granary lane";

    public const string ReaderName = "granary reader";

    public const string WorkName = "granary work";

    public const string OffsetsName = "granary offsets";

    public const string GroupsName = "granary groups";

    public const string IdempotencyName = "granary idempotency";

    public const string KeeperName = "granary keeper";

    public const string SlabsName = "granary slabs";

    public static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource source, string name, TimeSpan timeout, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        NpgsqlConnection? connection = null;
        try
        {
            connection = await source.OpenConnectionAsync(limit.Token);
            await using var setup = new NpgsqlCommand(Setup, connection) { Parameters = { new() { Value = name } } };
            await setup.ExecuteNonQueryAsync(limit.Token);
            return connection;
        }
        catch (Exception failure)
        {
            if (connection is not null)
                await connection.DisposeAsync();
            if (failure is OperationCanceledException && !cancellation.IsCancellationRequested)
                throw new StoreUnavailableException($"PostgreSQL did not answer a connection attempt within {timeout.TotalSeconds:0.#} s.", failure);
            throw;
        }
    }
}

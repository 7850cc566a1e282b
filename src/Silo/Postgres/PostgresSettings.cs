namespace Granary.Silo.Postgres;

/// <summary>The settings of the embedded server. Durability is PostgreSQL's default and stays: fsync, synchronous_commit, full_page_writes.</summary>
internal static class PostgresSettings
{
    private const long MaxSharedBytes = 2L << 30;

    public static string For(string socketFolder) => $"""
        listen_addresses = ''
        unix_socket_directories = '{socketFolder}'
        unix_socket_permissions = 0700
        max_connections = 200
        shared_buffers = '{SharedBytes() >> 20}MB'
        wal_compression = 'lz4'
        wal_buffers = '64MB'
        max_wal_size = '4GB'
        min_wal_size = '1GB'
        checkpoint_timeout = '15min'
        checkpoint_completion_target = 0.9
        fsync = on
        synchronous_commit = on
        full_page_writes = on
        jit = off
        log_timezone = 'UTC'
        timezone = 'UTC'
        log_checkpoints = off

        """;

    /// <summary>A twelfth of the memory there is, between 128 MB and 2 GB: slabs are written once and read mostly from our own caches.</summary>
    private static long SharedBytes() => Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 12, 128L << 20, MaxSharedBytes);
}

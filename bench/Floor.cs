using System.Diagnostics;
using System.Security.Cryptography;
using Npgsql;

namespace Granary.Bench;

/// <summary>
/// What the same PostgreSQL takes when nothing of ours is in the way: binary COPY of the same bytes into a plain table without a key.
/// One connection; values of 8,000 bytes kept as they are. Two forms: all in one COPY and one commit, and one commit per megabyte
/// (which is as durable as a log that answers its producers as it goes).
/// </summary>
internal static class Floor
{
    private const int ValueBytes = 8_000;

    public static async Task<double> CopyAsync(string connectionString, long totalBytes, long bytesPerCommit)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        await ExecuteAsync(connection, "DROP TABLE IF EXISTS bench_floor");
        await ExecuteAsync(connection, "CREATE TABLE bench_floor (data bytea) WITH (autovacuum_enabled = off)");
        await ExecuteAsync(connection, "ALTER TABLE bench_floor ALTER COLUMN data SET STORAGE EXTERNAL");
        await ExecuteAsync(connection, "ALTER TABLE bench_floor SET (toast_tuple_target = 8160)");

        var value = RandomNumberGenerator.GetBytes(ValueBytes);
        var clock = Stopwatch.StartNew();
        for (long written = 0; written < totalBytes;)
        {
            await using var copy = await connection.BeginBinaryImportAsync("COPY bench_floor FROM STDIN (FORMAT binary)");
            var end = Math.Min(totalBytes, written + bytesPerCommit);
            for (; written < end; written += ValueBytes)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(value);
            }

            await copy.CompleteAsync();
        }

        var megabytesPerSecond = totalBytes / 1e6 / clock.Elapsed.TotalSeconds;
        await ExecuteAsync(connection, "DROP TABLE bench_floor");
        await ExecuteAsync(connection, "CHECKPOINT");
        return megabytesPerSecond;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

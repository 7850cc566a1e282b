using Granary.Abstractions.Idempotency;
using Npgsql;

namespace Granary.Grains.Storage;

/// <param name="RequestHash">Of the request that has the key.</param>
/// <param name="Answer">Null: none is kept.</param>
/// <param name="PartitionCount">The topic's, when the key was claimed.</param>
/// <param name="ClaimedAt">In ms since 1970.</param>
internal sealed record KeptIdempotencyKey(byte[] RequestHash, long ProducerId, byte[]? Answer, int PartitionCount, long ClaimedAt);

/// <summary>Idempotency keys in PostgreSQL.</summary>
internal sealed class IdempotencyKeys(NpgsqlDataSource source, StorageOptions options, TimeProvider time) : IAsyncDisposable
{
    public const string Schema = """
        CREATE TABLE granary.idempotency_keys (
            topic_id uuid NOT NULL,
            key text NOT NULL,
            request_hash bytea NOT NULL,
            producer_id bigint NOT NULL,
            partition_count int NOT NULL,
            answer bytea,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (topic_id, key));
        CREATE INDEX idempotency_keys_age ON granary.idempotency_keys (created_at);
        """;

    /// <summary>The row as it is after the claim: the new one, or the one that was there. None where another claim was being made: to be tried again.</summary>
    private const string ClaimStatement = """
        WITH claimed AS (
            INSERT INTO granary.idempotency_keys AS kept (topic_id, key, request_hash, producer_id, created_at, partition_count) VALUES ($1, $2, $3, $4, $5, $7)
            ON CONFLICT (topic_id, key) DO UPDATE
                SET request_hash = excluded.request_hash, producer_id = excluded.producer_id, answer = NULL, created_at = excluded.created_at,
                    partition_count = excluded.partition_count
                WHERE kept.created_at < $6
            RETURNING 0 AS place, request_hash, producer_id, answer, partition_count, created_at)
        SELECT * FROM claimed
        UNION ALL SELECT 1, request_hash, producer_id, answer, partition_count, created_at FROM granary.idempotency_keys WHERE topic_id = $1 AND key = $2
        ORDER BY place LIMIT 1
        """;

    private const string CompleteStatement =
        "UPDATE granary.idempotency_keys SET answer = $4 WHERE topic_id = $1 AND key = $2 AND request_hash = $3";

    // Silos that sweep at the same time each take others. The rows are found once, by their age, and then by where they lie.
    private const string SweepStatement = """
        DELETE FROM granary.idempotency_keys WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM granary.idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))
        """;

    /// <summary>Keys that one statement forgets at most: claims wait for no longer one.</summary>
    public const int MaxSweptAtOnce = 10_000;

    private readonly SessionPool _sessions = new(source, Sessions.IdempotencyName, options.IdempotencyConnections, options);

    /// <summary>Claims the key where nobody has it, or who had it did so before <paramref name="oldest"/>.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    public async Task<KeptIdempotencyKey> ClaimAsync(IdempotencyClaim claim, long producerId, DateTimeOffset oldest, CancellationToken cancellation)
    {
        while (true)
        {
            var kept = await _sessions.RunAsync(
                async (connection, limit) =>
                {
                    await using var command = new NpgsqlCommand(ClaimStatement, connection)
                    {
                        Parameters =
                        {
                            new() { Value = claim.TopicId }, new() { Value = claim.Key }, new() { Value = claim.RequestHash }, new() { Value = producerId },
                            new() { Value = time.GetUtcNow() }, new() { Value = oldest }, new() { Value = claim.PartitionCount },
                        },
                    };
                    await using var reader = await command.ExecuteReaderAsync(limit);
                    return await reader.ReadAsync(limit)
                        ? new KeptIdempotencyKey(reader.GetFieldValue<byte[]>(1), reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<byte[]>(3), reader.GetInt32(4), reader.GetFieldValue<DateTimeOffset>(5).ToUnixTimeMilliseconds())
                        : null;
                },
                cancellation);
            if (kept is not null)
                return kept;
        }
    }

    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    public Task CompleteAsync(Guid topicId, string key, byte[] requestHash, byte[] answer, CancellationToken cancellation) => _sessions.RunAsync(
        async (connection, limit) =>
        {
            await using var command = new NpgsqlCommand(CompleteStatement, connection)
            {
                Parameters = { new() { Value = topicId }, new() { Value = key }, new() { Value = requestHash }, new() { Value = answer } },
            };
            return await command.ExecuteNonQueryAsync(limit);
        },
        cancellation);

    /// <summary>Forgets keys older than that, <see cref="MaxSweptAtOnce"/> at most; how many it were. Fewer than that: no more are there, or others are at them.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    public Task<int> SweepAsync(DateTimeOffset before, CancellationToken cancellation) => _sessions.RunAsync(
        async (connection, limit) =>
        {
            await using var command = new NpgsqlCommand(SweepStatement, connection) { Parameters = { new() { Value = before }, new() { Value = MaxSweptAtOnce } } };
            return await command.ExecuteNonQueryAsync(limit);
        },
        cancellation);

    public ValueTask DisposeAsync() => _sessions.DisposeAsync();
}

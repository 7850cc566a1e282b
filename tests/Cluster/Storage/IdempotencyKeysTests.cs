using Granary.Grains.Idempotency;
using Granary.Grains.Storage;
using Granary.Support.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace Granary.Cluster.Storage;

/// <summary>Old idempotency keys go, however many there are.</summary>
public sealed class IdempotencyKeysTests(PrivatePostgres server)
{
    private static readonly DateTimeOffset s_now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sweep_OfMoreThanAPortion_GoesOnUntilOnlyYoungKeysAreLeft()
    {
        await using var test = await TestStore.StartAsync(server);
        await FillAsync(test, (2 * IdempotencyKeys.MaxSweptAtOnce) + 5, s_now - TimeSpan.FromDays(2));
        await FillAsync(test, 3, s_now);
        var clock = new FakeClock();
        await using var keys = new IdempotencyKeys(test.Source, new StorageOptions(), clock);
        using var sweep = new IdempotencySweep(keys, Options.Create(new IdempotencyOptions()), clock, NullLogger<IdempotencySweep>.Instance);
        await sweep.SweepAsync(Cancellation);
        Assert.Equal(3, await CountAsync(test));
    }

    [Fact]
    public async Task Sweep_BesideAnother_TakesTheKeysThatTheOtherIsNotAt()
    {
        await using var test = await TestStore.StartAsync(server);
        await FillAsync(test, IdempotencyKeys.MaxSweptAtOnce, s_now - TimeSpan.FromDays(3));
        await FillAsync(test, 7, s_now - TimeSpan.FromDays(2));
        await using var keys = new IdempotencyKeys(test.Source, new StorageOptions(), TimeProvider.System);
        await using var other = await test.Source.OpenConnectionAsync(Cancellation);
        await using (var transaction = await other.BeginTransactionAsync(Cancellation))
        {
            await using var hold = new NpgsqlCommand("DELETE FROM granary.idempotency_keys WHERE created_at < $1", other) { Parameters = { new() { Value = s_now - TimeSpan.FromDays(2.5) } } };
            Assert.Equal(IdempotencyKeys.MaxSweptAtOnce, await hold.ExecuteNonQueryAsync(Cancellation));
            Assert.Equal(7, await keys.SweepAsync(s_now - TimeSpan.FromDays(1), Cancellation));
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(0, await CountAsync(test));
    }

    private static Task<long> CountAsync(TestStore test) => test.QueryAsync<long>("SELECT count(*) FROM granary.idempotency_keys");

    private static async Task FillAsync(TestStore test, int count, DateTimeOffset at)
    {
        await using var command = test.Source.CreateCommand("""
            INSERT INTO granary.idempotency_keys (topic_id, key, request_hash, producer_id, created_at, partition_count)
            SELECT gen_random_uuid(), 'k' || i, '\x00', i, $1, 1 FROM generate_series(1, $2) i
            """);
        command.Parameters.AddWithValue(at);
        command.Parameters.AddWithValue(count);
        Assert.Equal(count, await command.ExecuteNonQueryAsync(Cancellation));
    }
}

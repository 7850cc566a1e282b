using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Granary.Cluster.Storage;

/// <summary>A store on a database of its own, and short ways to ask it.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly bool _ownsSource;

    private TestStore(NpgsqlDataSource source, PostgresPartitionStore store, bool ownsSource) =>
        (Source, Store, _ownsSource) = (source, store, ownsSource);

    public static SegmentLimits Limits { get; } = new(1 << 30, TimeSpan.FromDays(7), TimeSpan.FromDays(7));

    public NpgsqlDataSource Source { get; }

    public PostgresPartitionStore Store { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<TestStore> StartAsync(PrivatePostgres server, StorageOptions? options = null) =>
        await StartAsync(await server.CreateDatabaseAsync(), options, ownsSource: true);

    /// <summary>Another silo on the same database.</summary>
    public Task<TestStore> StartAnotherAsync(StorageOptions? options = null) => StartAsync(Source, options, ownsSource: false);

    public static byte[] Batch(int bytes, int seed)
    {
        var batch = new byte[bytes];
        new Random(seed).NextBytes(batch);
        return batch;
    }

    public static PartitionId NewPartition(int index = 0) => new(Guid.NewGuid(), index);

    public Task<OpenedPartition> OpenAsync(PartitionId? partition = null) => Store.OpenAsync(partition ?? NewPartition(), null, Cancellation);

    public Task<AppendOutcome> AppendAsync(
        OwnedPartition owned, long from, byte[] bytes, long count = 1, long timestamp = -1, SegmentLimits? limits = null) =>
        Store.AppendAsync(owned, new StagedBatch(from, from + count, timestamp, bytes, limits ?? Limits));

    public async Task<List<StoredBatch>> ReadAllAsync(OwnedPartition owned, long from, long end, int maxBytes = 1 << 20)
    {
        var all = new List<StoredBatch>();
        while (from < end)
        {
            var some = await Store.ReadAsync(owned, from, end, maxBytes, Cancellation);
            if (some.Count == 0)
                break;
            all.AddRange(some);
            from = some[^1].EndOffset;
        }

        return all;
    }

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    public Task<long> SlabTablesAsync() => QueryAsync<long>(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'granary' AND c.relname ~ '^slab_[0-9]+$'");

    private static async Task<TestStore> StartAsync(NpgsqlDataSource source, StorageOptions? options, bool ownsSource)
    {
        var store = new PostgresPartitionStore(source, options ?? new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await store.StartAsync(Cancellation);
        return new TestStore(source, store, ownsSource);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.StopAsync(CancellationToken.None);
        await Store.DisposeAsync();
        if (_ownsSource)
            await Source.DisposeAsync();
    }
}

using Granary.Grains.Storage;
using Npgsql;

namespace Granary.Cluster.Storage;

/// <summary>Reads of history that PostgreSQL keeps waiting: the rows lie in a table that is locked.</summary>
public sealed class ReadSessionTests(PrivatePostgres server)
{
    [Fact]
    public async Task Read_WhileOthersHaveAllConnections_IsRefusedInTime()
    {
        await using var test = await TestStore.StartAsync(server, OneConnection(TimeSpan.FromMilliseconds(200)));
        var owned = (await test.OpenAsync()).Owned;
        await test.AppendAsync(owned, 0, [1]);
        await using var blocker = await test.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await LockSlabAsync(blocker);
        var underWay = ReadAsync(test, owned, TestContext.Current.CancellationToken);
        await UntilOneWaitsAsync(test);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => ReadAsync(test, owned, TestContext.Current.CancellationToken));
        Assert.False(underWay.IsCompleted);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Single(await underWay);
        Assert.Single(await ReadAsync(test, owned, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Read_ThatIsCancelled_LetsGoAtOnceAndKeepsTheSession()
    {
        await using var test = await TestStore.StartAsync(server, OneConnection(TimeSpan.FromSeconds(20)));
        var owned = (await test.OpenAsync()).Owned;
        await test.AppendAsync(owned, 0, [1]);
        await using var blocker = await test.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await LockSlabAsync(blocker);
        using var leaving = new CancellationTokenSource();
        var underWay = ReadAsync(test, owned, leaving.Token);
        await UntilOneWaitsAsync(test);
        var session = await ReaderSessionAsync(test);
        var waiting = ReadAsync(test, owned, leaving.Token);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => underWay);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await UntilOneWaitsAsync(test);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Single(await ReadAsync(test, owned, TestContext.Current.CancellationToken));
        Assert.Equal(session, await ReaderSessionAsync(test));
    }

    private static StorageOptions OneConnection(TimeSpan patience) => new() { ReadConnections = 1, ReadAheadBytes = 0, ReadPatience = patience };

    private static Task<IReadOnlyList<StoredBatch>> ReadAsync(TestStore test, OwnedPartition owned, CancellationToken cancellation) =>
        test.Store.ReadAsync(owned, 0, 1, 100, cancellation);

    private static async Task<NpgsqlTransaction> LockSlabAsync(NpgsqlConnection connection)
    {
        var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("LOCK TABLE granary.slab_1 IN ACCESS EXCLUSIVE MODE", connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return transaction;
    }

    private static async Task UntilOneWaitsAsync(TestStore test)
    {
        while (await test.QueryAsync<long>("""
            SELECT count(*) FROM pg_stat_activity WHERE application_name = 'granary reader' AND wait_event_type = 'Lock' AND datname = current_database()
            """) != 1)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    private static Task<int> ReaderSessionAsync(TestStore test) =>
        test.QueryAsync<int>("SELECT pid FROM pg_stat_activity WHERE application_name = 'granary reader' AND datname = current_database()");
}

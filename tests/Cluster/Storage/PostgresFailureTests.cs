using Granary.Grains.Storage;
using Npgsql;
using Xunit;

namespace Granary.Cluster.Storage;

/// <summary>Sessions and servers that die. On a server that no other class uses.</summary>
public sealed class PostgresFailureTests(PrivatePostgres server) : IClassFixture<PrivatePostgres>
{
    private const int Longest = 120_000;

    [Theory(Timeout = Longest)]
    [InlineData(100, AppendOutcome.Unknown)] // One statement: it could have been committed when the session ended.
    [InlineData(500_000, AppendOutcome.NotWritten)] // COMMIT was not sent yet.
    public async Task Append_WhereItsSessionIsEndedInTheMiddle_TellsWhatIsKnown(int bytes, AppendOutcome expected)
    {
        await using var test = await TestStore.StartAsync(server, new StorageOptions { Lanes = 1 });
        var id = TestStore.NewPartition();
        var (owned, other) = ((await test.OpenAsync(id)).Owned, (await test.OpenAsync()).Owned);
        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, 0, TestStore.Batch(bytes, 0)));
        await using var blocker = await test.Source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await blocker.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync(blocker, $"SELECT FROM granary.heads WHERE topic_id = '{id.TopicId}' FOR UPDATE");

        var append = test.AppendAsync(owned, 1, TestStore.Batch(bytes, 1));
        while (await test.QueryAsync<long>("""
            WITH waiting AS MATERIALIZED (
                SELECT pid FROM pg_stat_activity WHERE application_name = 'granary lane' AND wait_event_type = 'Lock' AND datname = current_database())
            SELECT count(pg_terminate_backend(pid)) FROM waiting
            """) == 0)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        var next = test.AppendAsync(owned, 2, TestStore.Batch(bytes, 2));
        var others = test.AppendAsync(other, 0, TestStore.Batch(bytes, 3));
        Assert.Equal(expected, await append);
        Assert.Equal(AppendOutcome.NotWritten, await next);
        Assert.Equal(AppendOutcome.Committed, await others);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);

        var again = await test.OpenAsync(id);
        Assert.Equal(1, again.EndOffset);
        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(again.Owned, 1, TestStore.Batch(bytes, 4)));
    }

    [Fact(Timeout = Longest)]
    public async Task Append_WherePostgresRefuses_IsNotWrittenAndThePartitionCanBeOpenedAgain()
    {
        await using var test = await TestStore.StartAsync(server);
        var id = TestStore.NewPartition();
        var owned = (await test.OpenAsync(id)).Owned;
        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, 0, [1]));
        // As a full disk would answer.
        await using (var connection = await test.Source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await ExecuteAsync(connection, """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON granary.slab_1 EXECUTE FUNCTION refuse();
                """);
        }

        Assert.Equal(AppendOutcome.NotWritten, await test.AppendAsync(owned, 1, [1]));
        owned = (await test.OpenAsync(id)).Owned;
        Assert.Equal(AppendOutcome.NotWritten, await test.AppendAsync(owned, 1, TestStore.Batch(500_000, 1)));
        await test.QueryAsync<int>("DROP TRIGGER refuse ON granary.slab_1; SELECT 1");
        owned = (await test.OpenAsync(id)).Owned;
        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, 1, [1]));
    }

    [Fact(Timeout = Longest)]
    public async Task Append_WhilePostgresIsAway_IsRefusedAtOnceAndGoesOnAfterwards()
    {
        await using var test = await TestStore.StartAsync(server, new StorageOptions { ReconnectDelay = TimeSpan.FromMilliseconds(100) });
        var ids = Enumerable.Range(0, 4).Select(TestStore.NewPartition).ToArray();
        var opened = await Task.WhenAll(ids.Select(id => test.OpenAsync(id)));
        foreach (var partition in opened)
            Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(partition.Owned, 0, [1]));
        await server.KillAsync();

        foreach (var partition in opened)
        {
            // A session may serve its last request before it sees that its server is gone.
            var (offset, outcome) = (1, AppendOutcome.Committed);
            while (outcome == AppendOutcome.Committed)
                outcome = await test.AppendAsync(partition.Owned, offset++, [1]).WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
            Assert.True(outcome is AppendOutcome.NotWritten or AppendOutcome.Unknown, outcome.ToString());
        }

        await Assert.ThrowsAsync<StoreUnavailableException>(() => test.OpenAsync(ids[0]));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => test.Store.ReadAsync(opened[0].Owned, 0, 1, 100, TestContext.Current.CancellationToken));
        await server.StartAgainAsync();
        foreach (var id in ids)
            Assert.True(await AppendUntilCommittedAsync(test, id, bytes: 1) >= 1);
    }

    /// <summary>Else it would be opened anew for each append that is refused until its lane is back, each time under another leader epoch.</summary>
    [Fact(Timeout = Longest)]
    public async Task Open_WhenPostgresIsBack_TakesAppends()
    {
        await using var test = await TestStore.StartAsync(server, new StorageOptions { Lanes = 1, ReconnectDelay = TimeSpan.FromSeconds(3) });
        var id = TestStore.NewPartition();
        var (owned, other) = ((await test.OpenAsync(id)).Owned, (await test.OpenAsync()).Owned);
        await server.KillAsync();
        for (long offset = 0; await test.AppendAsync(owned, offset, [1]) == AppendOutcome.Committed; offset++)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();

        // Its lane finds out by the next append, and waits a while before it tries again, longer each time.
        Assert.Equal(AppendOutcome.NotWritten, await test.AppendAsync(other, 0, [1]));
        await server.StartAgainAsync();
        var opened = await OpenAsync(test, id);

        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(opened.Owned, opened.EndOffset, [1]));
        Assert.Equal(owned.LeaderEpoch + 1, opened.Owned.LeaderEpoch);
    }

    [Theory(Timeout = Longest)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Kill_OfThePostmasterUnderLoad_KeepsEverythingCommittedAndNothingElse(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using var test = await TestStore.StartAsync(server, new StorageOptions { ReconnectDelay = TimeSpan.FromMilliseconds(100), OneTripBytes = 60_000 });
        var ids = Enumerable.Range(0, 6).Select(TestStore.NewPartition).ToArray();
        var underWay = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = ids.Select((id, index) => WriteUntilFailureAsync(test, id, new Random((seed * 100) + index), index, underWay)).ToArray();
        await underWay.Task.WaitAsync(TestContext.Current.CancellationToken);
        await server.KillAsync();
        var ends = await Task.WhenAll(writing);
        await server.StartAgainAsync();

        for (var i = 0; i < ids.Length; i++)
        {
            var (committed, last) = ends[i];
            var opened = await OpenAsync(test, ids[i]);
            // Only what was in flight when the answer was lost may be there besides.
            Assert.InRange(opened.EndOffset, committed, last);
            var read = await test.ReadAllAsync(opened.Owned, 0, opened.EndOffset);
            Assert.Equal(Enumerable.Range(0, (int)opened.EndOffset).Select(offset => (long)offset), read.Select(batch => batch.BaseOffset));
            Assert.All(read, batch => Assert.True(batch.Bytes.Span.SequenceEqual(TestStore.Batch(batch.Bytes.Length, (i * 100_000) + (int)batch.BaseOffset))));

            // Its lane may still refuse: each comes back to the server in its own time.
            Assert.Equal(opened.EndOffset, await AppendUntilCommittedAsync(test, ids[i], bytes: 1));
        }
    }

    /// <summary>Answers how many were committed, and the end of what may have been: the batches answered Unknown follow those.</summary>
    private static async Task<(long Committed, long PossibleEnd)> WriteUntilFailureAsync(
        TestStore test, Granary.Abstractions.Partitions.PartitionId id, Random random, int index, TaskCompletionSource underWay)
    {
        var owned = (await test.OpenAsync(id)).Owned;
        var inFlight = new Queue<Task<AppendOutcome>>();
        long next = 0, committed = 0, unknown = 0;
        while (true)
        {
            while (inFlight.Count < 5)
                inFlight.Enqueue(test.AppendAsync(owned, next++, TestStore.Batch(random.Next(1, 30_000), (index * 100_000) + (int)next - 1)));
            if (await inFlight.Dequeue() is not AppendOutcome.Committed and var outcome)
            {
                unknown += outcome == AppendOutcome.Unknown ? 1 : 0;
                break;
            }

            if (++committed == 300)
                underWay.TrySetResult();
        }

        foreach (var outcome in await Task.WhenAll(inFlight))
        {
            Assert.NotEqual(AppendOutcome.Committed, outcome);
            unknown += outcome == AppendOutcome.Unknown ? 1 : 0;
        }

        return (committed, committed + unknown);
    }

    private static async Task<long> AppendUntilCommittedAsync(TestStore test, Granary.Abstractions.Partitions.PartitionId id, int bytes)
    {
        while (true)
        {
            var opened = await OpenAsync(test, id);
            if (await test.AppendAsync(opened.Owned, opened.EndOffset, new byte[bytes]) == AppendOutcome.Committed)
                return opened.EndOffset;
        }
    }

    private static async Task<OpenedPartition> OpenAsync(TestStore test, Granary.Abstractions.Partitions.PartitionId id)
    {
        while (true)
        {
            try
            {
                return await test.OpenAsync(id);
            }
            catch (StoreUnavailableException)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}

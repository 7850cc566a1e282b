using Granary.Grains.Storage;
using Xunit;

namespace Granary.Cluster.Storage;

public sealed class OpeningTests(PrivatePostgres server)
{
    [Fact]
    public async Task Open_OfManyPartitionsByTwoSilosAtOnce_RaisesEachEpochForEach()
    {
        await using var test = await TestStore.StartAsync(server);
        await using var other = await test.StartAnotherAsync();
        var ids = Enumerable.Range(0, 2_000).Select(TestStore.NewPartition).ToArray();
        var opened = await Task.WhenAll(ids.Reverse().Select(id => test.OpenAsync(id)).Concat(ids.Select(id => other.OpenAsync(id))));

        foreach (var pair in opened.GroupBy(partition => partition.Owned.Partition))
            Assert.Equal([0, 1], pair.Select(partition => partition.Owned.LeaderEpoch).Order());
        Assert.Equal(2_000, await test.QueryAsync<long>("SELECT count(*) FROM granary.heads"));
    }

    [Fact]
    public async Task Open_OfOnePartitionManyTimesAtOnce_GivesEachItsOwnEpoch()
    {
        await using var test = await TestStore.StartAsync(server);
        var id = TestStore.NewPartition();
        var opened = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => test.OpenAsync(id)));
        Assert.Equal(Enumerable.Range(0, 20), opened.Select(partition => partition.Owned.LeaderEpoch).Order());
    }

    [Fact]
    public async Task Open_KeepsTheEpochsThatAppended()
    {
        await using var test = await TestStore.StartAsync(server);
        var id = TestStore.NewPartition();
        await test.OpenAsync(id);
        var owned = (await test.OpenAsync(id)).Owned;
        await test.AppendAsync(owned, 0, [1], count: 10);
        await test.OpenAsync(id);
        owned = (await test.OpenAsync(id)).Owned;
        await test.AppendAsync(owned, 10, [1], count: 10);
        Assert.Equal([(1, 0), (3, 10), (4, 20)], (await test.OpenAsync(id)).LeaderEpochs);

        owned = (await test.OpenAsync(id)).Owned;
        await test.Store.AdvanceLogStartAsync(owned, 15, TestContext.Current.CancellationToken);
        var last = await test.OpenAsync(id);
        Assert.Equal([(3, 10), (6, 20)], last.LeaderEpochs);
        Assert.Equal((15, 20), (last.LogStartOffset, last.EndOffset));
    }

    [Fact]
    public async Task Open_ReadsHeadersAfterTheSnapshotAcrossSegments()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var test = await TestStore.StartAsync(server);
        var id = TestStore.NewPartition();
        var owned = (await test.OpenAsync(id)).Owned;
        var limits = TestStore.Limits with { SizeBytes = 50_000 };
        for (var i = 0; i < 10; i++)
            await test.AppendAsync(owned, i * 10, TestStore.Batch(20_000, i), count: 10, limits: limits);

        AssertHeaders(0, await test.OpenAsync(id));
        owned = (await test.OpenAsync(id)).Owned;
        Assert.Equal(AppendOutcome.Committed, await test.Store.AdvanceLogStartAsync(owned, 25, cancellation));
        AssertHeaders(2, await test.OpenAsync(id));
        owned = (await test.OpenAsync(id)).Owned;
        Assert.Equal(AppendOutcome.Committed, await test.Store.SaveProducersAsync(owned, 70, new byte[] { 4, 2 }, cancellation));
        Assert.Equal(AppendOutcome.Committed, await test.Store.SaveProducersAsync(owned, 50, new byte[] { 9 }, cancellation));
        var opened = await test.OpenAsync(id);
        AssertHeaders(7, opened);
        Assert.Equal([4, 2], opened.ProducerSnapshot.ToArray());
        Assert.Equal(70, opened.ProducerSnapshotOffset);

        static void AssertHeaders(int from, OpenedPartition opened) => Assert.Equal(
            Enumerable.Range(from, 10 - from).Select(i => Convert.ToHexString(TestStore.Batch(20_000, i).AsSpan(0, 61))),
            opened.HeadersAfterSnapshot.Select(header => Convert.ToHexString(header.Span)));
    }

    [Fact]
    public async Task Open_WhereAFormerOwnerHangsInItsTransaction_EndsThat()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var test = await TestStore.StartAsync(server, new StorageOptions { StuckWriterAfter = TimeSpan.FromMilliseconds(100) });
        var id = TestStore.NewPartition();
        await test.OpenAsync(id);
        // What a silo that was stopped between the fence and the commit leaves.
        await using var hung = await Sessions.OpenAsync(test.Source, Sessions.LaneName, TimeSpan.FromSeconds(5), cancellation);
        await using var transaction = await hung.BeginTransactionAsync(cancellation);
        await using (var command = hung.CreateCommand())
        {
            command.CommandText = "UPDATE granary.heads SET next_offset = 1";
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await using var innocent = await Sessions.OpenAsync(test.Source, Sessions.LaneName, TimeSpan.FromSeconds(5), cancellation);

        var opened = await test.OpenAsync(id).WaitAsync(TimeSpan.FromSeconds(10), cancellation);
        Assert.Equal((1, 0L), (opened.Owned.LeaderEpoch, opened.EndOffset));
        await using var alive = innocent.CreateCommand();
        alive.CommandText = "SELECT 1";
        Assert.Equal(1, await alive.ExecuteScalarAsync(cancellation));
    }

    /// <summary>Its partition is opened elsewhere meanwhile: raised late, the epoch would belong to nobody and fence that owner.</summary>
    [Fact]
    public async Task Open_ThatIsGivenUpWhileItWaits_RaisesNoEpoch()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var test = await TestStore.StartAsync(server);
        await using var other = await test.StartAnotherAsync();
        var (slow, moved) = (TestStore.NewPartition(), TestStore.NewPartition());
        await test.OpenAsync(slow);
        await test.OpenAsync(moved);
        await using var blocker = await test.Source.OpenConnectionAsync(cancellation);
        await using var transaction = await blocker.BeginTransactionAsync(cancellation);
        await using (var command = blocker.CreateCommand())
        {
            command.CommandText = $"SELECT FROM granary.heads WHERE topic_id = '{slow.TopicId}' FOR UPDATE";
            await command.ExecuteNonQueryAsync(cancellation);
        }

        var underWay = test.OpenAsync(slow);
        while (await test.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") == 0)
            cancellation.ThrowIfCancellationRequested();
        using var ending = new CancellationTokenSource();
        var givenUp = test.Store.OpenAsync(moved, null, ending.Token);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        var owned = (await other.OpenAsync(moved)).Owned;
        await transaction.RollbackAsync(cancellation);
        await underWay;

        // This one goes with what has waited behind the slow one.
        await test.OpenAsync();
        Assert.Equal(AppendOutcome.Committed, await other.AppendAsync(owned, 0, [1]));
    }
}

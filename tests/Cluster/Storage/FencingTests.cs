using Granary.Grains.Storage;
using Xunit;

namespace Granary.Cluster.Storage;

public sealed class FencingTests(PrivatePostgres server)
{
    [Theory]
    [InlineData(100)]
    [InlineData(500_000)]
    public async Task Append_ByAFormerOwner_IsFencedAndWritesNothing(int bytes)
    {
        await using var test = await TestStore.StartAsync(server);
        await using var other = await test.StartAnotherAsync();
        var id = TestStore.NewPartition();
        var old = (await test.OpenAsync(id)).Owned;
        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(old, 0, TestStore.Batch(bytes, 1)));
        var late = await other.OpenAsync(id);
        Assert.Equal((old.LeaderEpoch + 1, 1L), (late.Owned.LeaderEpoch, late.EndOffset));

        Assert.Equal(AppendOutcome.Fenced, await test.AppendAsync(old, 1, TestStore.Batch(bytes, 2)));
        Assert.Equal(AppendOutcome.NotWritten, await test.AppendAsync(old, 2, TestStore.Batch(bytes, 2)));
        Assert.Equal(1, await test.QueryAsync<long>("SELECT count(*) FROM granary.slab_1 WHERE chunk = 0"));
        Assert.Equal(AppendOutcome.Committed, await other.AppendAsync(late.Owned, 1, TestStore.Batch(bytes, 3)));
        var read = await other.ReadAllAsync(late.Owned, 0, 2);
        Assert.True(read[1].Bytes.Span.SequenceEqual(TestStore.Batch(bytes, 3)));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(500_000)]
    public async Task Append_BesideAFencedPartition_IsCommitted(int bytes)
    {
        await using var test = await TestStore.StartAsync(server, new StorageOptions { Lanes = 1 });
        var (lost, kept) = (TestStore.NewPartition(), TestStore.NewPartition());
        var (old, fine) = ((await test.OpenAsync(lost)).Owned, (await test.OpenAsync(kept)).Owned);
        await using var other = await test.StartAnotherAsync();
        await other.OpenAsync(lost);

        // While the first flush waits for a lock on its head, the others gather into one.
        await using (var blocker = await test.Source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var transaction = await blocker.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using (var command = blocker.CreateCommand())
            {
                command.CommandText = "SELECT FROM granary.heads FOR UPDATE";
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            }

            List<Task<AppendOutcome>> appends = [test.AppendAsync(fine, 0, TestStore.Batch(bytes, 1))];
            while (await test.QueryAsync<long>(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'granary lane' AND wait_event_type = 'Lock' AND datname = current_database()") == 0)
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            appends.AddRange(
            [
                test.AppendAsync(old, 0, TestStore.Batch(bytes, 2)),
                test.AppendAsync(fine, 1, TestStore.Batch(bytes, 3)),
                test.AppendAsync(old, 1, TestStore.Batch(bytes, 4)),
            ]);
            await transaction.RollbackAsync(TestContext.Current.CancellationToken);
            Assert.Equal(
                [AppendOutcome.Committed, AppendOutcome.Fenced, AppendOutcome.Committed, AppendOutcome.Fenced], await Task.WhenAll(appends));
        }

        Assert.Equal(2, (await test.ReadAllAsync(fine, 0, 2)).Count);
        Assert.Equal(2, await test.QueryAsync<long>("SELECT count(*) FROM granary.slab_1 WHERE chunk = 0"));
    }

    [Fact]
    public async Task Append_OutOfOrder_BreaksTheOwnership()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        Assert.Equal(AppendOutcome.NotWritten, await test.AppendAsync(owned, 5, [1]));
        Assert.Equal(AppendOutcome.NotWritten, await test.AppendAsync(owned, 0, [1]));
    }

    [Fact]
    public async Task Append_WhereTheHeadMovedInTheDatabase_IsFenced()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        Assert.Equal(1, await test.QueryAsync<int>("UPDATE granary.heads SET next_offset = 7 RETURNING 1"));
        Assert.Equal(AppendOutcome.Fenced, await test.AppendAsync(owned, 0, [1]));
        Assert.Equal(0, await test.QueryAsync<long>("SELECT count(*) FROM granary.slab_1"));
    }

    [Fact]
    public async Task Work_ByAFormerOwner_IsFenced()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var test = await TestStore.StartAsync(server);
        var id = TestStore.NewPartition();
        var (first, second) = ((await test.OpenAsync(id)).Owned, (await test.OpenAsync(id)).Owned);
        await test.AppendAsync(second, 0, [1], count: 10);
        var third = await test.OpenAsync(id);

        Assert.Equal(AppendOutcome.Fenced, await test.Store.AdvanceLogStartAsync(first, 5, cancellation));
        Assert.Equal(AppendOutcome.Fenced, await test.Store.SaveProducersAsync(second, 5, new byte[3], cancellation));
        Assert.Equal(AppendOutcome.NotWritten, await test.Store.SaveProducersAsync(second, 5, new byte[3], cancellation));
        Assert.Equal(AppendOutcome.Committed, await test.Store.SaveProducersAsync(third.Owned, 5, new byte[3], cancellation));
        var fourth = await test.OpenAsync(id);
        Assert.Equal((0, 5, 3), (fourth.LogStartOffset, fourth.ProducerSnapshotOffset, fourth.ProducerSnapshot.Length));
    }

    [Fact]
    public async Task Delete_FencesTheOwnerAndStaysDeleted()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var test = await TestStore.StartAsync(server);
        var (id, never) = (TestStore.NewPartition(), TestStore.NewPartition());
        var owned = (await test.OpenAsync(id)).Owned;
        await test.AppendAsync(owned, 0, [1]);
        foreach (var partition in (Granary.Abstractions.Partitions.PartitionId[])[id, id, never])
            await test.Store.DeleteAsync(partition, cancellation);

        Assert.Equal(AppendOutcome.Fenced, await test.AppendAsync(owned, 1, [1]));
        await Assert.ThrowsAsync<PartitionDeletedException>(() => test.OpenAsync(id));
        await Assert.ThrowsAsync<PartitionDeletedException>(() => test.OpenAsync(never));
    }
}

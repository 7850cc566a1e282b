using Granary.Grains.Storage;
using Xunit;

namespace Granary.Cluster.Storage;

public sealed class SlabTests(PrivatePostgres server)
{
    private readonly StorageOptions _options = new()
    {
        SlabBytes = 1 << 20,
        CopyForwardAfter = TimeSpan.Zero,
        KeeperInterval = TimeSpan.FromHours(1),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keeper_UnderConcurrentWriters_RollsAndLosesNothing()
    {
        await using var test = await TestStore.StartAsync(server, _options);
        await using var other = await test.StartAnotherAsync(_options);
        TestStore[] silos = [test, other];
        var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => silos[i % 2].OpenAsync()));
        var writing = Task.WhenAll(opened.Select(async (partition, index) =>
        {
            var appends = new Queue<Task<AppendOutcome>>();
            for (var i = 0; i < 400; i++)
            {
                appends.Enqueue(silos[index % 2].AppendAsync(partition.Owned, i, TestStore.Batch(4_000 + (i % 7 * 1_500), (index * 1000) + i)));
                if (appends.Count > 8)
                    Assert.Equal(AppendOutcome.Committed, await appends.Dequeue());
            }

            Assert.All(await Task.WhenAll(appends), outcome => Assert.Equal(AppendOutcome.Committed, outcome));
        }));
        var rolled = 0;
        while (!writing.IsCompleted)
        {
            foreach (var silo in silos)
                rolled += (await silo.Store.Keeper.RunAsync(Cancellation)).Rolled;
        }

        await writing;
        Assert.True(rolled > 3, $"{rolled} slabs rolled");
        foreach (var (partition, index) in opened.Select((partition, index) => (partition, index)))
        {
            var read = await silos[index % 2].ReadAllAsync(partition.Owned, 0, 400);
            Assert.Equal(Enumerable.Range(0, 400).Select(i => (long)i), read.Select(batch => batch.BaseOffset));
            Assert.All(read, batch => Assert.True(batch.Bytes.Span.SequenceEqual(
                TestStore.Batch(batch.Bytes.Length, (index * 1000) + (int)batch.BaseOffset))));
        }
    }

    [Fact]
    public async Task Retention_OfEverySegment_DropsTheTableAndItsSpaceComesBack()
    {
        await using var test = await TestStore.StartAsync(server, _options);
        var id = TestStore.NewPartition();
        var owned = (await test.OpenAsync(id)).Owned;
        await FillAsync(test, owned, 0, 20);
        Assert.Equal(1, (await test.Store.Keeper.RunAsync(Cancellation)).Rolled);
        var size = await test.QueryAsync<long>("SELECT pg_database_size(current_database())");
        await FillAsync(test, owned, 20, 1);
        Assert.Equal(2, await test.SlabTablesAsync());

        Assert.Equal(AppendOutcome.Committed, await test.Store.AdvanceLogStartAsync(owned, 20, Cancellation));
        Assert.Equal(1, (await test.Store.Keeper.RunAsync(Cancellation)).Dropped);
        Assert.Equal(1, await test.SlabTablesAsync());
        Assert.True(await test.QueryAsync<long>("SELECT pg_database_size(current_database())") < size - 1_500_000);
        Assert.Equal([20L], (await test.ReadAllAsync(owned, 20, 21)).Select(batch => batch.BaseOffset));
    }

    [Fact]
    public async Task AdvanceLogStart_ToTheEnd_LeavesNothingAndAppendsGoOn()
    {
        await using var test = await TestStore.StartAsync(server, _options);
        var owned = (await test.OpenAsync()).Owned;
        await FillAsync(test, owned, 0, 20);
        Assert.Equal(AppendOutcome.Committed, await test.Store.AdvanceLogStartAsync(owned, long.MaxValue, Cancellation));
        Assert.Empty(await test.Store.ListSegmentsAsync(owned, Cancellation));
        await FillAsync(test, owned, 20, 2);
        Assert.Equal([(20L, 22L)], (await test.Store.ListSegmentsAsync(owned, Cancellation)).Select(segment => (segment.BaseOffset, segment.EndOffset)));
        Assert.Equal(2, (await test.ReadAllAsync(owned, 20, 22)).Count);
    }

    [Fact]
    public async Task Delete_OfATopicThatFillsTheSlab_GivesItsSpaceBackAndKeepsItsNeighbours()
    {
        await using var test = await TestStore.StartAsync(server, _options);
        var id = TestStore.NewPartition();
        var (owned, neighbour) = ((await test.OpenAsync(id)).Owned, (await test.OpenAsync()).Owned);
        await FillAsync(test, neighbour, 0, 1);
        await FillAsync(test, owned, 0, 6);
        await test.Store.DeleteAsync(id, Cancellation);
        // Small and open, but mostly dead: it rolls, its living go forward, it is dropped.
        var report = await test.Store.Keeper.RunAsync(Cancellation);
        Assert.Equal(1, report.Rolled);
        report = await test.Store.Keeper.RunAsync(Cancellation);
        Assert.Equal((1, 1), (report.CopiedSegments, report.Dropped));
        Assert.Equal(1, await test.SlabTablesAsync());
        Assert.True((await test.ReadAllAsync(neighbour, 0, 1))[0].Bytes.Span.SequenceEqual(TestStore.Batch(100_000, 0)));
    }

    [Fact]
    public async Task CopyForward_OfAnActiveSegment_IsSeenByItsReadersAndItsWriter()
    {
        await using var test = await TestStore.StartAsync(server, _options);
        var id = TestStore.NewPartition();
        var (idle, busy) = ((await test.OpenAsync()).Owned, (await test.OpenAsync(id)).Owned);
        await FillAsync(test, idle, 0, 2);
        await FillAsync(test, busy, 0, 20);
        Assert.Equal(2, (await test.ReadAllAsync(idle, 0, 2)).Count); // The reader now knows where they lie.
        await test.Store.DeleteAsync(id, Cancellation);
        await test.Store.Keeper.RunAsync(Cancellation);
        var report = await test.Store.Keeper.RunAsync(Cancellation);
        Assert.Equal((1, 200_000L, 1), (report.CopiedSegments, report.CopiedBytes, report.Dropped));

        Assert.Equal([0L, 1L], (await test.ReadAllAsync(idle, 0, 2)).Select(batch => batch.BaseOffset));
        await FillAsync(test, idle, 2, 2);
        var read = await test.ReadAllAsync(idle, 0, 4);
        Assert.Equal([0L, 1L, 2L, 3L], read.Select(batch => batch.BaseOffset));
        Assert.All(read, batch => Assert.True(batch.Bytes.Span.SequenceEqual(TestStore.Batch(100_000, (int)batch.BaseOffset))));
        var segments = await test.Store.ListSegmentsAsync(idle, Cancellation);
        Assert.Equal([(0L, 2L), (2L, 4L)], segments.Select(segment => (segment.BaseOffset, segment.EndOffset)));
        Assert.Equal(4, (await test.OpenAsync(idle.Partition)).HeadersAfterSnapshot.Count);
    }

    [Fact]
    public async Task Append_OfASiloThatMissedThatTheSlabIsGone_GoesToTheNext()
    {
        await using var test = await TestStore.StartAsync(server, _options);
        await using var stale = await test.StartAnotherAsync(_options);
        var id = TestStore.NewPartition();
        var (owned, quiet) = ((await test.OpenAsync(id)).Owned, (await stale.OpenAsync()).Owned);
        await FillAsync(stale, quiet, 0, 1);
        Assert.Equal(AppendOutcome.Committed, await stale.Store.AdvanceLogStartAsync(quiet, 1, Cancellation));
        await FillAsync(test, owned, 0, 20);
        await test.Store.DeleteAsync(id, Cancellation);
        await test.Store.Keeper.RunAsync(Cancellation);
        Assert.Equal(0, await test.QueryAsync<long>("SELECT count(*) FROM granary.slabs WHERE slab_id = 1"));

        await FillAsync(stale, quiet, 1, 2);
        Assert.Equal(2, (await stale.ReadAllAsync(quiet, 1, 3)).Count);
    }

    private static async Task FillAsync(TestStore test, OwnedPartition owned, int from, int count)
    {
        var appends = Enumerable.Range(from, count).Select(i => test.AppendAsync(owned, i, TestStore.Batch(100_000, i))).ToArray();
        Assert.All(await Task.WhenAll(appends), outcome => Assert.Equal(AppendOutcome.Committed, outcome));
    }
}

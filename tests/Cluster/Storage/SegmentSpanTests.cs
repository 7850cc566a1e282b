using Granary.Grains.Storage;
using Npgsql;
using Xunit;

namespace Granary.Cluster.Storage;

/// <summary>What a reader believes about where offsets lie while they come to lie elsewhere.</summary>
public sealed class SegmentSpanTests(PrivatePostgres server)
{
    private static readonly SegmentLimits s_short = TestStore.Limits with { Retention = TimeSpan.FromSeconds(1) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_WhereRetentionWentToAnotherClassAndBack_LeavesNothingOut()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        await AppendAsync(test, owned, 0, 10, TestStore.Limits);
        // The reader now knows where the first ten lie, and so would think where all that follows does.
        Assert.Equal([3L], (await test.Store.ReadAsync(owned, 3, 4, 1, Cancellation)).Select(batch => batch.BaseOffset));
        await AppendAsync(test, owned, 10, 5, s_short);
        await AppendAsync(test, owned, 15, 5, TestStore.Limits);
        Assert.Equal(2, await test.SlabTablesAsync());
        Assert.Equal(
            [(0L, 10L), (10L, 15L), (15L, 20L)],
            (await test.Store.ListSegmentsAsync(owned, Cancellation)).Select(segment => (segment.BaseOffset, segment.EndOffset)));

        foreach (var maxBytes in (int[])[1, 1 << 20])
        {
            var read = await test.ReadAllAsync(owned, 4, 20, maxBytes);
            Assert.Equal(Enumerable.Range(4, 16).Select(i => (long)i), read.Select(batch => batch.BaseOffset));
        }
    }

    [Fact]
    public async Task Find_NearTheEnd_GoesByWhatWasWrittenLastWithoutAQuestion()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (OwnedLog)(await test.OpenAsync()).Owned;
        await using var unconnected = new NpgsqlConnection();
        for (var i = 0; i < 3; i++)
        {
            await AppendAsync(test, owned, i, 1, TestStore.Limits);
            var span = await SegmentMap.FindAsync(unconnected, owned, i, afresh: false, Cancellation);
            Assert.Equal((0L, i + 1L), (span!.BaseOffset, span.EndOffset));
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => SegmentMap.FindAsync(unconnected, owned, 3, afresh: false, Cancellation));
    }

    [Fact]
    public async Task Read_WhereABatchIsLost_FailsInsteadOfGoingOnBehindIt()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        await AppendAsync(test, owned, 0, 5, TestStore.Limits);
        await test.QueryAsync<int>($"WITH lost AS (DELETE FROM {await SlabAsync(test)} WHERE base_offset = 2) SELECT 1");

        await Assert.ThrowsAsync<InvalidDataException>(() => test.Store.ReadAsync(owned, 0, 5, 1 << 20, Cancellation));
        Assert.Equal([0L, 1L], (await test.Store.ReadAsync(owned, 0, 2, 1 << 20, Cancellation)).Select(batch => batch.BaseOffset));
        Assert.Equal([3L, 4L], (await test.Store.ReadAsync(owned, 3, 5, 1 << 20, Cancellation)).Select(batch => batch.BaseOffset));
    }

    [Fact]
    public async Task Read_WhereASegmentIsGone_FailsUnlessTheLogBeginsBehindIt()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        await AppendAsync(test, owned, 0, 3, TestStore.Limits);
        await AppendAsync(test, owned, 3, 3, s_short);
        Assert.Equal(AppendOutcome.Committed, await test.Store.AdvanceLogStartAsync(owned, 4, Cancellation));
        // Below the log start its first batches answer: a caller that may not have them compares with the log start.
        Assert.Equal([3L, 4L, 5L], (await test.Store.ReadAsync(owned, 0, 6, 1 << 20, Cancellation)).Select(batch => batch.BaseOffset));

        await test.QueryAsync<int>("WITH wrong AS (UPDATE granary.heads SET log_start_offset = 0) SELECT 1");
        await using var other = await test.StartAnotherAsync();
        var again = (await other.OpenAsync(owned.Partition)).Owned;
        await Assert.ThrowsAsync<InvalidDataException>(() => other.Store.ReadAsync(again, 0, 6, 1 << 20, Cancellation));
    }

    private static Task<string> SlabAsync(TestStore test) => test.QueryAsync<string>("SELECT 'granary.slab_' || slab_id FROM granary.heads WHERE slab_id <> 0");

    private static async Task AppendAsync(TestStore test, OwnedPartition owned, int from, int count, SegmentLimits limits)
    {
        for (var i = from; i < from + count; i++)
            Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, i, TestStore.Batch(100, i), limits: limits));
    }
}

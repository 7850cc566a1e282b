using Granary.Abstractions.Records;
using Granary.Cluster.Storage;
using Granary.Grains.Partitions;
using Granary.Grains.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Granary.Cluster.Partitions;

/// <summary>Searches by time where the batch that the store finds holds nothing that was asked for. Every batch has ten records.</summary>
public sealed class OffsetSearchTests(PrivatePostgres server)
{
    private const int Count = 10;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FirstAtOrAfter_WhereWhatMatchesLiesBelowTheLogStart_ReadsNothingThatIsOlder()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        // Times fall within the batch: what is new enough goes with the log start.
        await AppendAsync(test, owned, 0, time: i => 1_000 - i, header: 1_000);
        for (var batch = 1; batch < 8; batch++)
            await AppendAsync(test, owned, batch, time: i => i, header: 9);
        await test.QueryAsync<int>(
            $"WITH lost AS (DELETE FROM granary.slab_1 WHERE base_offset = {3 * Count}) SELECT 1"); // Whoever reads from before it to after it fails.
        Assert.Equal(AppendOutcome.Committed, await test.Store.AdvanceLogStartAsync(owned, 5, Cancellation));

        Assert.Equal(FoundRecord.None, await FindAsync(test, owned, timestamp: 998, logStart: 5, batches: 8));
        await AppendAsync(test, owned, 8, time: i => 990 + i, header: 999);
        Assert.Equal((88, 998), Place(await FindAsync(test, owned, timestamp: 998, logStart: 5, batches: 9)));
        Assert.Equal((5, 995), Place(await FindAsync(test, owned, timestamp: 994, logStart: 5, batches: 9)));
    }

    [Fact]
    public async Task FirstAtOrAfter_WhereHeadersSayMoreThanTheirRecords_DecodesOnlySoMany()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        for (var batch = 0; batch < OffsetSearch.MaxDecoded + 2; batch++)
            await AppendAsync(test, owned, batch, time: i => i, header: 1_000);

        // The last that is decoded answers by its header: whoever starts there misses nothing.
        var last = OffsetSearch.MaxDecoded - 1;
        Assert.Equal((last * Count, 1_000), Place(await FindAsync(test, owned, timestamp: 500, logStart: 0, OffsetSearch.MaxDecoded + 2)));
        Assert.Equal(FoundRecord.None, await FindAsync(test, owned, timestamp: 500, logStart: 0, OffsetSearch.MaxDecoded - 1));
        Assert.Equal((0, 0), Place(await FindAsync(test, owned, timestamp: 0, logStart: 0, OffsetSearch.MaxDecoded + 2)));
    }

    [Fact]
    public async Task FirstAtOrAfter_WhoseCallerHasGivenUp_Ends()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        await AppendAsync(test, owned, 0, time: i => i, header: 9);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FindAsync(test, owned, timestamp: 3, logStart: 0, batches: 1, new CancellationToken(canceled: true)));
    }

    private static (long Offset, long Timestamp) Place(FoundRecord found) => (found.Offset, found.Timestamp);

    private static Task<FoundRecord> FindAsync(
        TestStore test, OwnedPartition owned, long timestamp, long logStart, int batches, CancellationToken? cancellation = null)
    {
        var search = new OffsetSearch(test.Store, new PartitionDiagnostics(NullLogger<PartitionDiagnostics>.Instance));
        return search.FirstAtOrAfterAsync(owned, new PartitionLog(owned.LeaderEpoch, logStart, batches * Count), timestamp, cancellation ?? Cancellation);
    }

    private static async Task AppendAsync(TestStore test, OwnedPartition owned, int number, Func<int, long> time, long header)
    {
        var writer = new RecordBatchWriter();
        for (var i = 0; i < Count; i++)
            writer.Append(time(i), null, new byte[100]);
        var batch = writer.Build();
        RecordBatchHeader.StampBaseOffset(batch, number * Count);
        Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, number * Count, batch, Count, header));
    }
}

using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Grains.Partitions;
using Microsoft.Extensions.DependencyInjection;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Partitions;

public sealed class LogStartTests(PartitionCluster cluster)
{
    [Fact]
    public async Task DeleteRecords_MovesTheStartWithinTheLog()
    {
        var partition = await cluster.NewPartitionAsync();
        for (var i = 0; i < 5; i++)
            await partition.AppendAsync($"a{i}", $"b{i}");
        Assert.Equal(new DeleteRecordsResult(ErrorCode.OffsetOutOfRange, -1), await partition.Grain.DeleteRecordsAsync(11));
        Assert.Equal(new DeleteRecordsResult(ErrorCode.None, 5), await partition.Grain.DeleteRecordsAsync(5));
        Assert.Equal(new DeleteRecordsResult(ErrorCode.None, 5), await partition.Grain.DeleteRecordsAsync(3));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await partition.ReadAsync(4)).Error);
        await partition.DeactivateAsync();
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await partition.ReadAsync(4)).Error);
        Assert.Equal(5, (await partition.Grain.FindOffsetAsync(new OffsetQuery(OffsetQuery.Earliest))).Offset);
        Assert.Equal(new DeleteRecordsResult(ErrorCode.None, 10), await partition.Grain.DeleteRecordsAsync(-1));
        Assert.Equal(10, (await partition.AppendAsync("next")).BaseOffset);
        Assert.Equal([(10L, "next")], await partition.ReadAllAsync(10));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DeleteRecords_OfAProducersNewestBatches_LeavesItInLine(bool savedBefore)
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync(TestPartition.Producer(6, 0), "a");
        if (savedBefore)
            await partition.DeactivateAsync();
        await partition.AppendAsync(TestPartition.Producer(6, 1), "b", "c");
        Assert.Equal(new DeleteRecordsResult(ErrorCode.None, 3), await partition.Grain.DeleteRecordsAsync(-1));

        // The log is opened anew, and cannot be told by the batches that are gone.
        cluster.Faults.NextAppend[partition.Id] = AppendFault.NotWritten;
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync("lost")).Error);
        Assert.Equal(3, (await partition.AppendUntilTakenAsync(TestPartition.Producer(6, 3), "d")).BaseOffset);
        Assert.Equal(1, (await partition.AppendAsync(TestPartition.Producer(6, 1), "b", "c")).BaseOffset);
    }

    [Fact]
    public async Task MeasureLag_TellsTheAgeOfTheOldestRecordThatIsNotRead()
    {
        var partition = await cluster.NewPartitionAsync();
        var now = DateTimeOffset.UtcNow;
        await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, now.AddHours(-5).ToUnixTimeMilliseconds(), "a", "b"));
        await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, now.AddHours(-2).ToUnixTimeMilliseconds(), "c"));
        await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, now.AddMinutes(30).ToUnixTimeMilliseconds(), "from a clock that is ahead"));
        foreach (var inMemory in new[] { true, false })
        {
            if (!inMemory)
                await partition.DeactivateAsync();
            Assert.Equal([5, 5, 2, 0, 0], await HoursAsync(0, 1, 2, 3, 4));
        }

        await partition.Grain.DeleteRecordsAsync(2);

        // What retention has taken is no longer there to be read: the log's first record counts.
        Assert.Equal([2], await HoursAsync(0));
        var caughtUp = await partition.Grain.MeasureLagAsync(4);
        Assert.Equal(new LagResult(ErrorCode.None, 2, 4, TimeSpan.Zero), caughtUp);

        async Task<List<int>> HoursAsync(params long[] positions)
        {
            var hours = new List<int>();
            foreach (var position in positions)
                hours.Add((int)Math.Floor((await partition.Grain.MeasureLagAsync(position)).OldestAge!.Value.TotalHours + 0.001));
            return hours;
        }
    }

    [Fact]
    public async Task FindOffset_ByTime_NamesTheRecordWithinItsBatch()
    {
        var partition = await cluster.NewPartitionAsync();
        var start = DateTimeOffset.UtcNow.AddMinutes(-10).ToUnixTimeMilliseconds();
        await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, start, "a", "b", "c"));
        await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, start + 100, "d", "e", "f"));
        await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, start + 50, "g"));
        Assert.Equal((1L, start + 1), await FindAsync(partition, start + 1));
        Assert.Equal((3L, start + 100), await FindAsync(partition, start + 3));
        Assert.Equal((5L, start + 102), await FindAsync(partition, start + 102));
        Assert.Equal((-1L, -1L), await FindAsync(partition, start + 103));
        Assert.Equal((5L, start + 102), await FindAsync(partition, OffsetQuery.MaxTimestamp));
        Assert.Equal((7L, -1L), await FindAsync(partition, OffsetQuery.Latest));
        Assert.Equal((-1L, -1L), await FindAsync(partition, OffsetQuery.LatestTiered));

        // The log starts within the second batch, at its last record.
        await partition.Grain.DeleteRecordsAsync(5);
        Assert.Equal((5L, start + 102), await FindAsync(partition, start + 1));
        await partition.Grain.DeleteRecordsAsync(6);
        Assert.Equal((6L, start + 50), await FindAsync(partition, start + 1));
    }

    [Fact]
    public async Task Retention_DropsWhatIsTooOldAndTooMuchAndWakesNobodyElse()
    {
        var old = await cluster.NewPartitionAsync(("retention.ms", "60000"));
        var large = await cluster.NewPartitionAsync(("retention.ms", "-1"), ("retention.bytes", "300"), ("segment.bytes", "200"));
        var kept = await cluster.NewPartitionAsync(("retention.ms", "60000"));
        var longAgo = DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeMilliseconds();
        await old.AppendAsync(TestPartition.Batch(ProducerStamp.None, longAgo, "a", "b"));
        for (var i = 0; i < 6; i++)
            await large.AppendAsync(new string('x', 100));
        await kept.AppendAsync("a");
        foreach (var one in new[] { old, large, kept })
            await one.DeactivateAsync();
        var silo = cluster.Silos.Silos[0];
        var sweep = cluster.Silos.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<RetentionSweep>();
        await cluster.Silos.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<Granary.Abstractions.Topics.TopicDirectory>().RefreshAsync();
        var openings = cluster.Faults.Openings[kept.Id];
        await sweep.CheckAsync(TestContext.Current.CancellationToken);
        Assert.Equal(openings, cluster.Faults.Openings[kept.Id]);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await old.ReadAsync(0)).Error);
        Assert.Equal((2L, 0), ((await old.ReadAsync(2)).LogStartOffset, (await old.ReadAllAsync(2)).Count));
        var start = (await large.ReadAsync(6)).LogStartOffset;
        Assert.InRange(start, 1, 5);
        Assert.InRange((await large.Grain.DescribeAsync()).SizeBytes, 300, 600);
        Assert.Equal(6 - start, (await large.ReadAllAsync(start)).Count);

        // Nothing is left to do.
        Assert.Equal(2, (await old.AppendAsync("c")).BaseOffset);
        await sweep.CheckAsync(TestContext.Current.CancellationToken);
        Assert.Equal([(2L, "c")], await old.ReadAllAsync(2));
    }

    private static async Task<(long Offset, long Timestamp)> FindAsync(TestPartition partition, long timestamp)
    {
        var found = await partition.Grain.FindOffsetAsync(new OffsetQuery(timestamp));
        Assert.Equal(ErrorCode.None, found.Error);
        return (found.Offset, found.Timestamp);
    }
}

using Granary.Grains.Storage;
using Xunit;

namespace Granary.Cluster.Storage;

public sealed class AppendAndReadTests(PrivatePostgres server)
{
    [Fact]
    public async Task Read_GivesBackEveryBatchFromOneByteToFiveMegabytes()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        int[] sizes = [1, 100, 8_095, 8_096, 8_097, 16_192, 100_000, 127_000, 1 << 20, 5 << 20, 3];
        List<Task<AppendOutcome>> appends = [];
        for (var i = 0; i < sizes.Length; i++)
            appends.Add(test.AppendAsync(owned, i * 10, TestStore.Batch(sizes[i], i), count: 10, timestamp: i));
        Assert.All(await Task.WhenAll(appends), outcome => Assert.Equal(AppendOutcome.Committed, outcome));

        foreach (var maxBytes in (int[])[1, 10_000, 1 << 20, 64 << 20])
        {
            var read = await test.ReadAllAsync(owned, 0, sizes.Length * 10, maxBytes);
            Assert.Equal(sizes.Length, read.Count);
            for (var i = 0; i < sizes.Length; i++)
            {
                Assert.Equal((i * 10, (i * 10) + 10, i), (read[i].BaseOffset, read[i].EndOffset, read[i].MaxTimestamp));
                Assert.True(read[i].Bytes.Span.SequenceEqual(TestStore.Batch(sizes[i], i)));
            }
        }
    }

    [Fact]
    public async Task Read_FromTheMiddleOfABatch_StartsWithTheWholeBatch()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        for (var i = 0; i < 3; i++)
            Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, i * 10, TestStore.Batch(20_000, i), count: 10));

        var cancellation = TestContext.Current.CancellationToken;
        var read = await test.Store.ReadAsync(owned, 15, 30, 1 << 20, cancellation);
        Assert.Equal([10L, 20L], read.Select(batch => batch.BaseOffset));
        Assert.Equal([10L], (await test.Store.ReadAsync(owned, 19, 20, 1 << 20, cancellation)).Select(batch => batch.BaseOffset));
        Assert.Empty(await test.Store.ReadAsync(owned, 30, 30, 1 << 20, cancellation));
        Assert.Empty(await test.Store.ReadAsync(owned, 30, 40, 1 << 20, cancellation));
    }

    [Fact]
    public async Task Append_FromManyPartitionsAtOnce_KeepsEachInOrder()
    {
        await using var test = await TestStore.StartAsync(server, new StorageOptions { MaxFlushBytes = 300_000, OneTripBytes = 20_000 });
        var opened = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => test.OpenAsync()));
        var limits = TestStore.Limits with { SizeBytes = 200_000 };
        await Task.WhenAll(opened.Select(async (partition, index) =>
        {
            var random = new Random(index);
            List<Task<AppendOutcome>> appends = [];
            for (var i = 0; i < 200; i++)
                appends.Add(test.AppendAsync(partition.Owned, i, TestStore.Batch(random.Next(1, 10_000), (index * 1000) + i), limits: limits));
            Assert.All(await Task.WhenAll(appends), outcome => Assert.Equal(AppendOutcome.Committed, outcome));
        }));

        foreach (var (partition, index) in opened.Select((partition, index) => (partition, index)))
        {
            var read = await test.ReadAllAsync(partition.Owned, 0, 200);
            Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), read.Select(batch => batch.BaseOffset));
            Assert.All(read, batch => Assert.True(batch.Bytes.Span.SequenceEqual(
                TestStore.Batch(batch.Bytes.Length, (index * 1000) + (int)batch.BaseOffset))));
            var segments = await test.Store.ListSegmentsAsync(partition.Owned, TestContext.Current.CancellationToken);
            Assert.True(segments.Count > 2);
            Assert.Equal(200, segments[^1].EndOffset);
            Assert.True(segments[^1].IsActive);
            Assert.All(segments.Zip(segments.Skip(1)), pair => Assert.Equal(pair.First.EndOffset, pair.Second.BaseOffset));
            Assert.All(segments, segment => Assert.True(segment.SizeBytes <= 200_000));
            Assert.Equal(read.Sum(batch => (long)batch.Bytes.Length), segments.Sum(segment => segment.SizeBytes));
        }
    }

    [Fact]
    public async Task Measure_AddsUpTheBatchesThatARangeTouches_AcrossSegments()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        var beside = (await test.OpenAsync()).Owned;
        var limits = TestStore.Limits with { SizeBytes = 70_000 };
        for (var i = 0; i < 9; i++)
        {
            // Of another size each, some of more than one row.
            Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, i * 2, TestStore.Batch(100 + (i * 7_001), i), 2, limits: limits));
            await test.AppendAsync(beside, i * 2, TestStore.Batch(555, i), 2, limits: limits);
        }

        Assert.InRange((await test.Store.ListSegmentsAsync(owned, TestContext.Current.CancellationToken)).Count, 3, 9);
        for (var start = 0; start < 18; start++)
        {
            for (var end = start + 1; end <= 18; end++)
            {
                var expected = (await test.ReadAllAsync(owned, start, 18)).Where(batch => batch.BaseOffset < end).Sum(batch => (long)batch.Bytes.Length);
                Assert.Equal(expected, await test.Store.MeasureAsync(owned, start, end, TestContext.Current.CancellationToken));
            }
        }
    }

    [Fact]
    public async Task Find_ByTimestampAndByTheLargest_AcrossSegments()
    {
        await using var test = await TestStore.StartAsync(server);
        var owned = (await test.OpenAsync()).Owned;
        var limits = TestStore.Limits with { SizeBytes = 250 };
        long[] timestamps = [10, 50, 20, 70, 70, 30, 60];
        for (var i = 0; i < timestamps.Length; i++)
            Assert.Equal(AppendOutcome.Committed, await test.AppendAsync(owned, i * 2, TestStore.Batch(100, i), 2, timestamps[i], limits));

        var cancellation = TestContext.Current.CancellationToken;
        async Task<long?> At(long timestamp, long end = 14, long from = 0) =>
            (await test.Store.FindByTimestampAsync(owned, timestamp, from, end, cancellation))?.BaseOffset;
        Assert.Equal([0L, 2L, 6L, null], [await At(5), await At(11), await At(51), await At(71)]);
        Assert.Null(await At(51, end: 6));
        Assert.Equal([6L, 8L, 12L, null], [await At(51, from: 6), await At(51, from: 8), await At(51, from: 10), await At(51, from: 14)]);
        Assert.Equal(6, (await test.Store.FindMaxTimestampAsync(owned, 14, cancellation))?.BaseOffset);
        Assert.Equal(2, (await test.Store.FindMaxTimestampAsync(owned, 6, cancellation))?.BaseOffset);
        Assert.Null(await test.Store.FindMaxTimestampAsync(owned, 0, cancellation));

        Assert.Equal(AppendOutcome.Committed, await test.Store.AdvanceLogStartAsync(owned, 10, cancellation));
        Assert.Equal(12, (await test.Store.FindMaxTimestampAsync(owned, 14, cancellation))?.BaseOffset);
        Assert.Equal(10, await At(5));
    }

    [Fact]
    public async Task ReadAhead_OfManySequentialReaders_StaysInItsBound()
    {
        var options = new StorageOptions { ReadBlockBytes = 65_536, ReadAheadBytes = 200_000 };
        await using var test = await TestStore.StartAsync(server, options);
        var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => test.OpenAsync()));
        foreach (var partition in opened)
        {
            var appends = Enumerable.Range(0, 100).Select(i => test.AppendAsync(partition.Owned, i, TestStore.Batch(10_000, i))).ToArray();
            Assert.All(await Task.WhenAll(appends), outcome => Assert.Equal(AppendOutcome.Committed, outcome));
        }

        await Task.WhenAll(opened.Select(async partition =>
        {
            var read = await test.ReadAllAsync(partition.Owned, 0, 100, maxBytes: 25_000);
            Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i), read.Select(batch => batch.BaseOffset));
            Assert.All(read, batch => Assert.True(batch.Bytes.Span.SequenceEqual(TestStore.Batch(10_000, (int)batch.BaseOffset))));
            Assert.InRange(test.Store.ReadAheadBytes, 0, options.ReadAheadBytes);
        }));
    }
}

using System.Runtime.InteropServices;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Clients;

public sealed class LogConsumerTests
{
    private static readonly LogConsumerOptions s_quick = new() { RetryBackoff = TimeSpan.FromMilliseconds(1), MaxRetryBackoff = TimeSpan.FromMilliseconds(5) };

    private readonly FakeCluster _cluster = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_FromTheStart_GivesAllOfEachPartition_InOrder()
    {
        for (var batch = 0; batch < 40; batch++)
        {
            for (var index = 0; index < 3; index++)
                Append(index, 5, firstTime: batch * 5);
        }

        await using var consumer = new LogConsumer(_cluster.Grains, s_quick with { PartitionReadBytes = 300 });
        consumer.Assign([.. Enumerable.Range(0, 3).Select(index => new TopicPartitionOffset("events", index, LogPosition.Earliest))]);
        var records = await TakeAsync(consumer, 600);
        for (var index = 0; index < 3; index++)
        {
            var own = records.Where(record => record.Partition.Partition == index).Select(record => record.Offset);
            Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), own);
        }

        Assert.Equal(LogPosition.At(200), consumer.PositionOf(new TopicPartition("events", 1)));
    }

    [Fact]
    public async Task Read_FromTheTail_WaitsForWhatIsNew_WithOneCall()
    {
        Append(0, 10);
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.Latest));
        var first = TakeAsync(consumer, 1);
        while (_cluster.WaitCalls == 0)
            await Task.Yield();
        Assert.False(first.IsCompleted);
        Append(0, 2);
        Assert.Equal(10, Assert.Single(await first).Offset);
        Assert.Equal(11, Assert.Single(await TakeAsync(consumer, 1)).Offset);
        Assert.InRange(_cluster.WaitCalls, 1, 2);
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(0, 0)]
    public async Task Read_FromTheMiddleOfABatch_StartsThere(long from, long expected)
    {
        Append(0, 10);
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.At(from)));
        Assert.Equal(expected, (await TakeAsync(consumer, 1))[0].Offset);
    }

    [Fact]
    public async Task Read_OfBatchesThatAreLargeDecompressed_KeepsLittleOfThem()
    {
        for (var batch = 0; batch < 2; batch++)
        {
            var writer = new RecordBatchWriter(CompressionCodec.Gzip);
            for (var i = 0; i < 20; i++)
                writer.Append(0, null, new byte[100_000], []);
            _cluster.Partition(0).Append(writer.Build());
        }

        await using var consumer = new LogConsumer(_cluster.Grains, s_quick with { PrefetchBytes = 300_000 });
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.At(7)));
        var records = await TakeAsync(consumer, 33);

        Assert.Equal(Enumerable.Range(7, 33).Select(i => (long)i), records.Select(record => record.Offset));
        Assert.All(records, record => Assert.True(MemoryMarshal.TryGetArray(record.Value!.Value, out var array) && array.Array!.Length < 200_000));
    }

    [Fact]
    public async Task Read_FromATime_StartsAtItsFirstRecord()
    {
        Append(0, 10, firstTime: 1_000);
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.AtTime(DateTimeOffset.FromUnixTimeMilliseconds(1_004))));
        Assert.Equal(4, (await TakeAsync(consumer, 1))[0].Offset);
    }

    [Fact]
    public async Task Read_LeftInTheMiddle_GoesOnThere()
    {
        Append(0, 10);
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.Earliest));
        for (var offset = 0L; offset < 10; offset++)
            Assert.Equal(offset, Assert.Single(await TakeAsync(consumer, 1)).Offset);
    }

    [Fact]
    public async Task SeekPauseAndResume_GoWhereTheySay()
    {
        var partition = new TopicPartition("events", 0);
        Append(0, 10);
        Append(1, 10);
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset(partition, LogPosition.Earliest));
        await TakeAsync(consumer, 5);
        consumer.Seek(partition, LogPosition.At(2));
        Assert.Equal(2, (await TakeAsync(consumer, 1))[0].Offset);
        consumer.Pause(partition);
        Assert.Equal(LogPosition.At(3), consumer.PositionOf(partition));
        consumer.Resume(partition);
        Assert.Equal([3L, 4L], (await TakeAsync(consumer, 2)).Select(record => record.Offset));
        Assert.Throws<InvalidOperationException>(() => consumer.Seek(new TopicPartition("events", 1), LogPosition.Latest));
    }

    [Theory]
    [InlineData(OffsetReset.Earliest, 5)]
    [InlineData(OffsetReset.Latest, 20)]
    public async Task Read_OfAnOffsetThatIsGone_GoesWhereThePolicySays(OffsetReset reset, long expected)
    {
        Append(0, 20);
        _cluster.Partition(0).LogStart = 5;
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick with { OffsetReset = reset });
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.At(0)));
        var taking = TakeAsync(consumer, 1);
        if (reset == OffsetReset.Latest)
        {
            while (_cluster.WaitCalls == 0)
                await Task.Yield();
            Append(0, 1);
        }

        Assert.Equal(expected, (await taking)[0].Offset);
    }

    [Fact]
    public async Task Read_OfAnOffsetThatIsGone_Throws_WhereThePolicySaysSo()
    {
        Append(0, 20);
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick with { OffsetReset = OffsetReset.Throw });
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.At(21)));
        var gone = await Assert.ThrowsAsync<LogException>(() => TakeAsync(consumer, 1));
        Assert.Equal(ErrorCode.OffsetOutOfRange, gone.Error);
        Assert.Contains("21", gone.Message, StringComparison.Ordinal);
        consumer.Seek(new TopicPartition("events", 0), LogPosition.At(19));
        Assert.Equal(19, (await TakeAsync(consumer, 1))[0].Offset);
    }

    [Fact]
    public async Task Read_OfAnUnknownPartition_Throws()
    {
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset("events", 9, LogPosition.Earliest));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await Assert.ThrowsAsync<LogException>(() => TakeAsync(consumer, 1))).Error);
    }

    [Fact]
    public async Task Offsets_OfBothEnds_AreTold()
    {
        Append(0, 7);
        _cluster.Partition(0).LogStart = 2;
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        var partitions = await consumer.PartitionsOfAsync("events");
        Assert.Equal([2L, 0L, 0L], (await consumer.BeginningOffsetsAsync(partitions)).OrderBy(pair => pair.Key.Partition).Select(pair => pair.Value));
        Assert.Equal([7L, 0L, 0L], (await consumer.EndOffsetsAsync(partitions)).OrderBy(pair => pair.Key.Partition).Select(pair => pair.Value));
    }

    [Fact]
    public async Task Dispose_EndsTheReader()
    {
        var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Assign(new TopicPartitionOffset("events", 0, LogPosition.Earliest));
        var reading = TakeAsync(consumer, 1);
        await consumer.DisposeAsync();
        Assert.Empty(await reading);
    }

    private static async Task<List<ConsumedRecord>> TakeAsync(LogConsumer consumer, int count)
    {
        var records = new List<ConsumedRecord>();
        await foreach (var record in consumer.ReadAsync(Cancellation))
        {
            records.Add(record);
            if (records.Count == count)
                break;
        }

        return records;
    }

    private void Append(int partition, int records, long firstTime = 0)
    {
        var writer = new RecordBatchWriter();
        for (var i = 0; i < records; i++)
            writer.Append(firstTime + i, null, null);
        _cluster.Partition(partition).Append(writer.Build());
    }
}

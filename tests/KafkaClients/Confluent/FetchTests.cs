using Confluent.Kafka;

namespace Granary.KafkaClients.Confluent;

/// <summary>Reading: from the middle of a batch, by time, at the tail, across many partitions, and outside of the log.</summary>
public sealed class FetchTests(BrokerFixture broker)
{
    private const long FirstTime = 1_700_000_000_000;

    [Fact]
    public async Task Consume_FromTheMiddleOfABatch_StartsAtTheAskedRecord()
    {
        var topic = await OneBatchAsync(100);

        var read = Topics.ReadAll(broker.Bootstrap, new TopicPartition(topic, 0), from: 57);

        Assert.Equal(Enumerable.Range(57, 43).Select(offset => (long)offset), read.Select(record => record.Offset.Value));
        Assert.Equal(57, read[0].Message.Value![0]);
    }

    [Fact]
    public async Task OffsetsForTimes_FindsTheFirstRecordAtOrAfter()
    {
        var topic = await OneBatchAsync(100);
        using var consumer = Topics.Consumer(broker.Bootstrap);

        long Find(long time) => consumer.OffsetsForTimes(
            [new TopicPartitionTimestamp(topic, 0, new Timestamp(time, TimestampType.CreateTime))], TimeSpan.FromSeconds(30)).Single().Offset.Value;

        Assert.Equal(0, Find(FirstTime - 1_000));
        Assert.Equal(42, Find(FirstTime + 420));
        Assert.Equal(43, Find(FirstTime + 421));
        Assert.Equal(Offset.End.Value, Find(FirstTime + 1_000_000));
    }

    [Fact]
    public async Task Consume_AtTheTail_WaitsForWhatComes()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var consumer = Topics.Consumer(broker.Bootstrap, config => config.FetchWaitMaxMs = 5_000);
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        Assert.Null(consumer.Consume(TimeSpan.FromMilliseconds(200)));
        using var producer = Topics.Producer(broker.Bootstrap);

        for (var index = 0; index < 20; index++)
        {
            await producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = [(byte)index] });
            Assert.Equal(index, consumer.Consume(TimeSpan.FromSeconds(30)).Message.Value![0]);
        }
    }

    [Fact]
    public async Task Consume_FromManyPartitions_GetsEveryRecordInOrder()
    {
        const int partitions = 30;
        const int each = 200;
        var topic = await Topics.CreateAsync(broker.Bootstrap, partitions);
        using (var producer = Topics.Producer(broker.Bootstrap, config => config.EnableIdempotence = true))
        {
            for (var index = 0; index < partitions * each; index++)
                producer.Produce(new TopicPartition(topic, index % partitions), new Message<byte[]?, byte[]?> { Value = BitConverter.GetBytes(index / partitions) });
            Assert.Equal(0, producer.Flush(TimeSpan.FromSeconds(60)));
        }

        using var consumer = Topics.Consumer(broker.Bootstrap);
        consumer.Assign(Enumerable.Range(0, partitions).Select(index => new TopicPartitionOffset(topic, index, Offset.Beginning)));
        var next = new int[partitions];
        for (var count = 0; count < partitions * each; count++)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(30));
            Assert.Equal(next[record.Partition.Value]++, BitConverter.ToInt32(record.Message.Value!));
        }
    }

    [Fact]
    public async Task Consume_BeyondTheEnd_IsOutOfRange()
    {
        var topic = await OneBatchAsync(10);
        using var consumer = Topics.Consumer(broker.Bootstrap, config => config.AutoOffsetReset = AutoOffsetReset.Error);
        consumer.Assign(new TopicPartitionOffset(topic, 0, 11));

        var refused = Assert.Throws<ConsumeException>(() => consumer.Consume(TimeSpan.FromSeconds(30)));

        Assert.Equal(ErrorCode.Local_AutoOffsetReset, refused.Error.Code);
    }

    private async Task<string> OneBatchAsync(int records)
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var producer = Topics.Producer(broker.Bootstrap, config => config.LingerMs = 200);
        await Task.WhenAll(Enumerable.Range(0, records).Select(index => producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?>
        {
            Value = [(byte)index],
            Timestamp = new Timestamp(FirstTime + (index * 10), TimestampType.CreateTime),
        })));
        return topic;
    }
}

using System.Text;
using Confluent.Kafka;

namespace Granary.KafkaClients.Confluent;

/// <summary>What a Confluent.Kafka producer writes, a Confluent.Kafka consumer reads: every codec, every acks, every shape of a record.</summary>
public sealed class RoundTripTests(BrokerFixture broker)
{
    public static TheoryData<CompressionType, bool> Codecs()
    {
        var cases = new TheoryData<CompressionType, bool>();
        foreach (var codec in Enum.GetValues<CompressionType>())
        {
            cases.Add(codec, false);
            cases.Add(codec, true);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public async Task Produce_WithEveryCodec_IsReadBackAsWritten(CompressionType codec, bool idempotent)
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var producer = Topics.Producer(broker.Bootstrap, config =>
        {
            config.CompressionType = codec;
            config.EnableIdempotence = idempotent;
            config.LingerMs = 20;
        });
        var sent = Enumerable.Range(0, 500).Select(Shape).ToArray();
        var reports = await Task.WhenAll(sent.Select(message => producer.ProduceAsync(new TopicPartition(topic, 0), message)));

        var read = Topics.ReadAll(broker.Bootstrap, new TopicPartition(topic, 0));

        Assert.Equal(sent.Length, read.Count);
        for (var index = 0; index < sent.Length; index++)
        {
            Assert.Equal(index, reports[index].Offset.Value);
            Assert.Equal(sent[index].Key, read[index].Message.Key);
            Assert.Equal(sent[index].Value, read[index].Message.Value);
            Assert.Equal(sent[index].Timestamp.UnixTimestampMs, read[index].Message.Timestamp.UnixTimestampMs);
            Assert.Equal(
                (sent[index].Headers ?? []).Select(header => (header.Key, Bytes(header))),
                (read[index].Message.Headers ?? []).Select(header => (header.Key, Bytes(header))));
        }
    }

    [Theory]
    [InlineData(Acks.None)]
    [InlineData(Acks.Leader)]
    [InlineData(Acks.All)]
    public async Task Produce_WithEveryAcks_IsReadBack(Acks acks)
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var producer = Topics.Producer(broker.Bootstrap, config => config.Acks = acks);
        for (var index = 0; index < 100; index++)
            await producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = [(byte)index] });
        using var consumer = Topics.Consumer(broker.Bootstrap);
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));

        var values = Enumerable.Range(0, 100).Select(_ => consumer.Consume(TimeSpan.FromSeconds(30)).Message.Value![0]);

        Assert.Equal(Enumerable.Range(0, 100).Select(index => (byte)index), values);
    }

    [Fact]
    public async Task Produce_FromNothingToTheLargest_IsReadBack()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var producer = Topics.Producer(broker.Bootstrap, config => config.EnableIdempotence = true);
        int[] sizes = [0, 1, 7_999, 8_000, 8_001, 65_535, 500_000, 1_000_000];
        foreach (var size in sizes)
        {
            var value = new byte[size];
            new Random(size).NextBytes(value);
            await producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = value });
        }

        var read = Topics.ReadAll(broker.Bootstrap, new TopicPartition(topic, 0));

        Assert.Equal(sizes, read.Select(record => record.Message.Value!.Length));
        foreach (var record in read)
        {
            var expected = new byte[record.Message.Value!.Length];
            new Random(expected.Length).NextBytes(expected);
            Assert.Equal(expected, record.Message.Value);
        }
    }

    [Fact]
    public async Task Produce_AboveMaxMessageBytes_IsRefusedAndNothingIsLost()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, configs: new() { ["max.message.bytes"] = "1000" });
        using var producer = Topics.Producer(broker.Bootstrap);
        await producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = new byte[100] });

        var refused = await Assert.ThrowsAsync<ProduceException<byte[]?, byte[]?>>(() =>
            producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = new byte[2_000] }));

        Assert.Equal(ErrorCode.MsgSizeTooLarge, refused.Error.Code);
        Assert.Single(Topics.ReadAll(broker.Bootstrap, new TopicPartition(topic, 0)));
    }

    [Fact]
    public async Task Produce_ToAnUnknownTopic_CreatesIt()
    {
        var topic = $"auto-{Guid.NewGuid():N}";
        using var producer = Topics.Producer(broker.Bootstrap);

        var report = await producer.ProduceAsync(topic, new Message<byte[]?, byte[]?> { Value = "first"u8.ToArray() });

        Assert.Equal(0, report.Offset.Value);
    }

    private static Message<byte[]?, byte[]?> Shape(int index)
    {
        var message = new Message<byte[]?, byte[]?>
        {
            Key = index % 3 == 0 ? null : Encoding.UTF8.GetBytes($"key {index % 17}"),
            Value = index % 5 == 0 ? null : Encoding.UTF8.GetBytes($"value {index} {new string('x', index)}"),
            Timestamp = new Timestamp(1_700_000_000_000 + index, TimestampType.CreateTime),
        };
        if (index % 4 == 0)
            message.Headers = new Headers { { "trace", Encoding.UTF8.GetBytes($"{index}") }, { "empty", [] }, { "trace", "again"u8.ToArray() } };
        return message;
    }

    private static string Bytes(IHeader header) => Convert.ToHexString(header.GetValueBytes() ?? []);
}

using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Granary.KafkaClients.Confluent;

/// <summary>Fresh topics for tests that share one broker.</summary>
internal static class Topics
{
    public static async Task<string> CreateAsync(string bootstrap, int partitions = 1, Dictionary<string, string>? configs = null, string prefix = "t-")
    {
        var name = $"{prefix}{Guid.NewGuid():N}";
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = 1, Configs = configs }]);
        return name;
    }

    /// <summary>All records of one partition from an offset to the high watermark of the moment of the call.</summary>
    public static List<ConsumeResult<byte[]?, byte[]?>> ReadAll(string bootstrap, TopicPartition partition, long from = 0)
    {
        using var consumer = Consumer(bootstrap);
        var end = consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(30)).High;
        consumer.Assign(new TopicPartitionOffset(partition, from));
        var records = new List<ConsumeResult<byte[]?, byte[]?>>();
        for (var next = from; next < end; next = records[^1].Offset + 1)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(30));
            Assert.True(record is not null, $"no record of {partition} at {next} of {end} within 30 s");
            records.Add(record!);
        }

        return records;
    }

    public static IConsumer<byte[]?, byte[]?> Consumer(string bootstrap, Action<ConsumerConfig>? change = null)
    {
        var config = new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "by-assignment", EnableAutoCommit = false };
        change?.Invoke(config);
        return new ConsumerBuilder<byte[]?, byte[]?>(config).Build();
    }

    public static IProducer<byte[]?, byte[]?> Producer(string bootstrap, Action<ProducerConfig>? change = null)
    {
        var config = new ProducerConfig { BootstrapServers = bootstrap, MessageMaxBytes = 1_048_576 };
        change?.Invoke(config);
        return new ProducerBuilder<byte[]?, byte[]?>(config).Build();
    }
}

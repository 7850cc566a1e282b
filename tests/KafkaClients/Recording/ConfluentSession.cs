using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Recording;

/// <summary>Everything that Confluent.Kafka (librdkafka) asks of the APIs that are served.</summary>
internal static class ConfluentSession
{
    public static async Task RunAsync(string bootstrap, string topic)
    {
        var partition = new TopicPartition(topic, 0);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1, ReplicationFactor = 1, Configs = new() { ["retention.ms"] = "60000" } }]);
        foreach (var codec in Enum.GetValues<CompressionType>())
            await ProduceAsync(bootstrap, partition, codec);
        Consume(bootstrap, partition);
        await AdministerAsync(admin, partition);
        RefuseTransactions(bootstrap);
    }

    private static async Task ProduceAsync(string bootstrap, TopicPartition partition, CompressionType codec)
    {
        using var producer = Topics.Producer(bootstrap, config => (config.CompressionType, config.EnableIdempotence, config.LingerMs) = (codec, true, 20));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(number => producer.ProduceAsync(partition, new Message<byte[]?, byte[]?>
        {
            Key = [(byte)number],
            Value = new byte[50],
            Headers = new Headers { { "trace", [1] } },
        })));
    }

    private static void Consume(string bootstrap, TopicPartition partition)
    {
        using var consumer = Topics.Consumer(bootstrap);
        consumer.Assign(new TopicPartitionOffset(partition, 1));
        Assert.NotNull(consumer.Consume(TimeSpan.FromSeconds(30)));
        consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(30));
        consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(DateTime.UnixEpoch))], TimeSpan.FromSeconds(30));
    }

    private static async Task AdministerAsync(IAdminClient admin, TopicPartition partition)
    {
        var resource = new ConfigResource { Type = ResourceType.Topic, Name = partition.Topic };
        await admin.DescribeConfigsAsync([resource]);
        await admin.AlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "retention.ms", Value = "70000" }] });
        await admin.IncrementalAlterConfigsAsync(new() { [resource] = [new ConfigEntry { Name = "retention.ms", IncrementalOperation = AlterConfigOpType.Delete }] });
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = partition.Topic, IncreaseTo = 2 }]);
        await admin.ListOffsetsAsync([new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.MaxTimestamp() }]);
        await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([partition.Topic]));
        await admin.DescribeClusterAsync();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(partition, 2)]);
        await admin.DeleteTopicsAsync([partition.Topic]);
    }

    private static void RefuseTransactions(string bootstrap)
    {
        using var producer = Topics.Producer(bootstrap, config => config.TransactionalId = "a-transaction");
        Assert.ThrowsAny<KafkaException>(() => producer.InitTransactions(TimeSpan.FromSeconds(20)));
    }
}

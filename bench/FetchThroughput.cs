using System.Diagnostics;
using Confluent.Kafka;

namespace Granary.Bench;

/// <summary>One reader from the log's start to its end: Confluent.Kafka, which hands over every record, or raw sockets, which count bytes.</summary>
internal static class FetchThroughput
{
    public static double ByConfluent(string bootstrap, string topic, int partitions)
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = "bench",
            EnableAutoCommit = false,
            FetchMaxBytes = 50 << 20,
            MaxPartitionFetchBytes = 8 << 20,
            QueuedMinMessages = 1_000_000,
            QueuedMaxMessagesKbytes = 512 << 10,
            EnablePartitionEof = false,
            ConsumeResultFields = "none",
        }).Build();
        var ends = Enumerable.Range(0, partitions)
            .Select(index => consumer.QueryWatermarkOffsets(new TopicPartition(topic, index), TimeSpan.FromSeconds(30)).High.Value)
            .ToArray();
        var expected = ends.Sum();
        var clock = Stopwatch.StartNew();
        consumer.Assign(Enumerable.Range(0, partitions).Select(index => new TopicPartitionOffset(topic, index, Offset.Beginning)));
        long bytes = 0;
        for (long read = 0; read < expected; read++)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(30))
                ?? throw new InvalidOperationException($"no record for 30 s after {read} of {expected}");
            bytes += record.Message.Value.Length;
        }

        return bytes / 1e6 / clock.Elapsed.TotalSeconds;
    }
}

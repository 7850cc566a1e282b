using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support.Histories;

namespace Granary.Chaos;

/// <summary>The topic of a run, and Confluent.Kafka clients that are patient enough for it.</summary>
internal sealed record ChaosTopic(string Bootstrap, string Name, int Partitions)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    public static async Task<ChaosTopic> CreateAsync(string bootstrap, int partitions)
    {
        var topic = new ChaosTopic(bootstrap, "chaos", partitions);
        using var admin = topic.Admin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic.Name, NumPartitions = partitions, ReplicationFactor = 1 }]);
        return topic;
    }

    public IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap, ReconnectBackoffMaxMs = 200 })
        .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();

    public IConsumer<Ignore, byte[]> Consumer(Action<IConsumer<Ignore, byte[]>, Error> onError) => new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
    {
        BootstrapServers = Bootstrap,
        GroupId = "by-assignment",
        EnableAutoCommit = false,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        FetchWaitMaxMs = 200,
        FetchErrorBackoffMs = 20,
        SocketTimeoutMs = 5_000,
        ReconnectBackoffMaxMs = 200,
        RetryBackoffMs = 20,
        RetryBackoffMaxMs = 200,
        TopicMetadataRefreshIntervalMs = 1_000,
    }).SetLogHandler((_, _) => { }).SetErrorHandler(onError).Build();

    /// <summary>The ends of all partitions (exclusive).</summary>
    public IReadOnlyList<long> Ends()
    {
        using var consumer = Consumer((_, _) => { });
        return [.. Enumerable.Range(0, Partitions).Select(partition => BoundsOf(consumer, new TopicPartition(Name, partition)).High.Value)];
    }

    /// <summary>Reads every log from its start to its end, and writes down what lies there.</summary>
    public void WriteFound(HistoryFile history)
    {
        for (var partition = 0; partition < Partitions; partition++)
        {
            using var consumer = Consumer((_, _) => { });
            var here = new TopicPartition(Name, partition);
            var bounds = BoundsOf(consumer, here);
            history.Add(new HistoryEvent(HistoryEventKind.FoundStart, Partition: partition, Offset: bounds.Low.Value));
            consumer.Assign(new TopicPartitionOffset(here, bounds.Low));
            for (var next = bounds.Low.Value; next < bounds.High.Value;)
            {
                var record = consumer.Consume(s_patience)
                    ?? throw new InvalidOperationException($"partition {partition} gives no record at {next} of {bounds.High} within {s_patience}");
                history.Add(new HistoryEvent(HistoryEventKind.Found, Partition: partition, Offset: record.Offset.Value, Record: SentRecord.Parse(record.Message.Value)));
                next = record.Offset.Value + 1;
            }

            consumer.Close();
        }
    }

    /// <summary>Asked until it is told: the client passes on "not the leader", having heard of a new one only then.</summary>
    private static WatermarkOffsets BoundsOf(IConsumer<Ignore, byte[]> consumer, TopicPartition partition)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return consumer.QueryWatermarkOffsets(partition, s_timeout);
            }
            catch (KafkaException) when (clock.Elapsed < s_patience)
            {
                // Asked again: each question takes a trip to the cluster, so this does not spin.
            }
        }
    }
}

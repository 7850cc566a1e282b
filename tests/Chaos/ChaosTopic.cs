using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support.Histories;

namespace Granary.Chaos;

/// <summary>The topic of a run, and Confluent.Kafka clients that are patient enough for it.</summary>
internal sealed record ChaosTopic(string Bootstrap, string Name, int Partitions)
{
    private static readonly TimeSpan s_socketTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_defaultSocketTimeout = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    /// <summary>Clients are as they come out of the box, instead of as patient and as quick as a short run wants them.</summary>
    public bool HasDefaultClients { get; init; }

    /// <summary>Takes what consumers say of where they fetch, and from whom, and of their groups; null: nobody asks.</summary>
    public Action<string>? ClientLog { get; init; }

    /// <summary>An answer that comes later than this after its question is dropped by the client, which looks for such ones once a second.</summary>
    public TimeSpan LongestQuestion => (HasDefaultClients ? s_defaultSocketTimeout : s_socketTimeout) + TimeSpan.FromSeconds(1);

    public static async Task<ChaosTopic> CreateAsync(string bootstrap, int partitions, string name = "chaos")
    {
        var topic = new ChaosTopic(bootstrap, name, partitions);
        using var admin = topic.Admin();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic.Name, NumPartitions = partitions, ReplicationFactor = 1 }]);
        return topic;
    }

    public IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap, ReconnectBackoffMaxMs = 200 })
        .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();

    public IConsumer<Ignore, byte[]> Consumer(Action<IConsumer<Ignore, byte[]>, Error> onError) =>
        new ConsumerBuilder<Ignore, byte[]>(ConsumerSettings()).SetLogHandler((_, line) => ClientLog?.Invoke(line.Message)).SetErrorHandler(onError).Build();

    private ConsumerConfig ConsumerSettings()
    {
        var settings = new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = "by-assignment", EnableAutoCommit = false, AutoOffsetReset = AutoOffsetReset.Earliest, CheckCrcs = true };
        if (ClientLog is not null)
            settings.Debug = "consumer,topic,fetch";
        if (HasDefaultClients)
            return settings;
        settings.FetchWaitMaxMs = 200;
        settings.FetchErrorBackoffMs = 20;
        settings.SocketTimeoutMs = (int)s_socketTimeout.TotalMilliseconds;
        settings.ReconnectBackoffMaxMs = 200;
        settings.RetryBackoffMs = 20;
        settings.RetryBackoffMaxMs = 200;
        settings.TopicMetadataRefreshIntervalMs = 1_000;
        return settings;
    }

    /// <summary>Settings of a producer that waits for its records to be on disk.</summary>
    public ProducerConfig ProducerSettings(bool isIdempotent, TimeSpan messageTimeout)
    {
        var settings = new ProducerConfig { BootstrapServers = Bootstrap, EnableIdempotence = isIdempotent, Acks = Acks.All };
        if (HasDefaultClients)
            return settings;
        settings.LingerMs = 1;
        settings.MessageTimeoutMs = (int)messageTimeout.TotalMilliseconds;
        settings.RequestTimeoutMs = 5_000;
        settings.SocketTimeoutMs = (int)s_socketTimeout.TotalMilliseconds;
        settings.ReconnectBackoffMaxMs = 200;
        settings.RetryBackoffMs = 20;
        settings.RetryBackoffMaxMs = 200;
        settings.TopicMetadataRefreshIntervalMs = 1_000;
        return settings;
    }

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

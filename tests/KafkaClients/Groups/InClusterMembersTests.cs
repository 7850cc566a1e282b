using Confluent.Kafka;
using Granary.Abstractions.Clients;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using TopicPartition = Confluent.Kafka.TopicPartition;

namespace Granary.KafkaClients.Groups;

/// <summary>Members of a group that read over grain calls (<see cref="LogConsumer.Subscribe"/>), with Confluent.Kafka's in the same group.</summary>
public sealed class InClusterMembersTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Partitions = 6;

    [Fact]
    public async Task KafkaClientAndInClusterMembers_ShareAGroup_AndEachRecordIsRead()
    {
        await using var client = await ClusterClient.ConnectAsync(broker.PostgresConnectionString, "granary");
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var foreign = new GroupConsumer(broker.Bootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol);
        await Eventually.IsTrueAsync(() => foreign.Assigned.Count == Partitions, () => $"the only member has {foreign.Assigned.Count}");
        await using var first = new InClusterMember(client.Grains, topic, group);
        var second = new InClusterMember(client.Grains, topic, group);
        await Eventually.IsTrueAsync(() => foreign.Assigned.Count == 2 && first.Assigned == 2 && second.Assigned == 2, () => $"{foreign.Assigned.Count}, {first.Assigned}, {second.Assigned}");

        Produce(broker.Bootstrap, topic, 0, 120);
        await Eventually.IsTrueAsync(() => Read(foreign, first, second).Distinct().Count() == 120, () => $"{Read(foreign, first, second).Distinct().Count()} of 120");
        Assert.All(new[] { foreign.Read.Count, first.Read.Count, second.Read.Count }, count => Assert.True(count > 0));

        await second.DisposeAsync();
        await Eventually.IsTrueAsync(() => foreign.Assigned.Count == 3 && first.Assigned == 3, () => $"{foreign.Assigned.Count} and {first.Assigned} after one left");
        Produce(broker.Bootstrap, topic, 120, 60);
        await Eventually.IsTrueAsync(() => Read(foreign, first, second).Distinct().Count() == 180, () => $"{Read(foreign, first, second).Distinct().Count()} of 180");
        output.WriteLine($"{Read(foreign, first, second).Count() - 180} records were read twice");
    }

    [Fact]
    public async Task Commit_WithEpochAndMetadata_IsWhatKafkaClientsFetch_AndTheirsIsWhatItStartsFrom()
    {
        await using var client = await ClusterClient.ConnectAsync(broker.PostgresConnectionString, "granary");
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        var group = $"g-{Guid.NewGuid():N}";
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var index = 0; index < 3; index++)
            await producer.ProduceAsync(topic, new() { Value = [(byte)index] });
        var read = await ReadAsync(2);
        Assert.True(read[^1].LeaderEpoch >= 0);

        await using var wire = await GroupWire.ConnectAsync(broker.Bootstrap);
        var kept = Assert.Single(Assert.Single((await wire.FetchAllAsync(group)).Topics).Partitions);
        Assert.Equal((2, read[^1].LeaderEpoch, "half way"), (kept.CommittedOffset, kept.CommittedLeaderEpoch, kept.Metadata));

        using var foreign = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = broker.Bootstrap, GroupId = group }).Build();
        var fetched = Assert.Single(foreign.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(30)));
        Assert.Equal((2, read[^1].LeaderEpoch), (fetched.Offset.Value, fetched.LeaderEpoch));
        foreign.Commit([new(new TopicPartition(topic, 0), 1, read[0].LeaderEpoch)]);
        Assert.Equal(1, (await ReadAsync(1))[0].Offset);

        async Task<List<ConsumedRecord>> ReadAsync(int count)
        {
            await using var consumer = new LogConsumer(client.Grains);
            consumer.Subscribe([topic], group, new SubscriptionOptions { AutoCommitInterval = null });
            var records = new List<ConsumedRecord>();
            await foreach (var record in consumer.ReadAsync(TestContext.Current.CancellationToken))
            {
                records.Add(record);
                if (records.Count == count)
                    break;
            }

            var place = new Abstractions.Clients.TopicPartitionOffset(records[^1].Partition, LogPosition.After(records[^1])) { Metadata = "half way" };
            await consumer.CommitAsync([place], TestContext.Current.CancellationToken);
            return records;
        }
    }

    [Fact]
    public async Task SiloKilled_InClusterMembersGoOn_AndLoseNothing()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 2 });
        await using var client = await ClusterClient.ConnectAsync(cluster);
        var topic = await Topics.CreateAsync(cluster.KafkaBootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        await using var first = new InClusterMember(client.Grains, topic, group);
        await using var second = new InClusterMember(client.Grains, topic, group);
        await Eventually.IsTrueAsync(() => first.Assigned == 3 && second.Assigned == 3, () => $"{first.Assigned} and {second.Assigned}");
        Produce(cluster[0].KafkaBootstrap, topic, 0, 60);
        await Eventually.IsTrueAsync(() => first.Read.Concat(second.Read).Distinct().Count() == 60, () => $"{first.Read.Concat(second.Read).Distinct().Count()} of 60");

        cluster[1].Kill();
        Produce(cluster[0].KafkaBootstrap, topic, 60, 60);

        await Eventually.IsTrueAsync(
            () => first.Read.Concat(second.Read).Distinct().Count() == 120, () => $"{first.Read.Concat(second.Read).Distinct().Count()} of 120", seconds: 60);
    }

    private static IEnumerable<string> Read(GroupConsumer foreign, params InClusterMember[] members) => foreign.Read.Concat(members.SelectMany(member => member.Read));

    private static void Produce(string bootstrap, string topic, int from, int count)
    {
        using var producer = Topics.Producer(bootstrap);
        for (var index = from; index < from + count; index++)
            producer.Produce(new TopicPartition(topic, index % Partitions), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{index}") });
        producer.Flush(TimeSpan.FromSeconds(30));
    }
}

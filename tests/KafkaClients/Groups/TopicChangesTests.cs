using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Groups;

/// <summary>
/// Groups of Confluent.Kafka's consumers whose topics change while they read them. By the classic protocol it is the leader that notices, and joins again; by the
/// consumer protocol it is the coordinator.
/// </summary>
public sealed class TopicChangesTests(BrokerFixture broker)
{
    private readonly string _group = $"g-{Guid.NewGuid():N}";
    private readonly string _family = $"events-{Guid.NewGuid():N}-";

    [Theory]
    [InlineData(GroupProtocol.Classic, PartitionAssignmentStrategy.Range)]
    [InlineData(GroupProtocol.Classic, PartitionAssignmentStrategy.CooperativeSticky)]
    [InlineData(GroupProtocol.Consumer, null)]
    public async Task TopicThatGrowsIsMadeOrMadeAnew_IsShared_AndReadFromItsBeginning(GroupProtocol protocol, PartitionAssignmentStrategy? strategy)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).SetLogHandler((_, _) => { }).Build();
        var topic = await Topics.CreateAsync(broker.Bootstrap, 2, prefix: _family);
        using var first = Join(protocol, strategy);
        using var second = Join(protocol, strategy);
        await AreSharedAsync(2, first, second);
        await ReadAsync(topic, 2, "begun", first, second);

        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 4 }]);
        await AreSharedAsync(4, first, second);
        await ReadAsync(topic, 4, "grown", first, second);

        var later = await Topics.CreateAsync(broker.Bootstrap, 2, prefix: _family);
        await AreSharedAsync(6, first, second);
        await ReadAsync(later, 2, "later", first, second);

        // The positions in the topic that was are none in the topic of the same name.
        await admin.DeleteTopicsAsync([topic]);
        await AreSharedAsync(2, first, second);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 3, ReplicationFactor = 1 }]);
        await AreSharedAsync(5, first, second);
        await ReadAsync(topic, 3, "anew", first, second);
        await ReadAsync(later, 2, "still", first, second);
        Assert.All(new[] { first, second }, member => Assert.Null(member.Failure));
    }

    private GroupConsumer Join(GroupProtocol protocol, PartitionAssignmentStrategy? strategy) => new(broker.Bootstrap, _group, $"^{_family}.*", config =>
    {
        (config.PartitionAssignmentStrategy, config.TopicMetadataRefreshIntervalMs) = (strategy, 300);
        if (protocol == GroupProtocol.Consumer)
            GroupConsumer.SpeakConsumerProtocol(config);
    });

    private static Task AreSharedAsync(int partitions, params GroupConsumer[] members) => Eventually.IsTrueAsync(
        () => members.Sum(member => member.Assigned.Count) == partitions && members.All(member => member.Assigned.Count > 0),
        () => $"{string.Join(" and ", members.Select(member => $"{member}"))} of {partitions}");

    /// <summary>A record to each partition, in which the topic's first ones are.</summary>
    private async Task ReadAsync(string topic, int partitions, string value, params GroupConsumer[] members)
    {
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var partition = 0; partition < partitions; partition++)
            await producer.ProduceAsync(new TopicPartition(topic, partition), new() { Value = Encoding.UTF8.GetBytes($"{value}-{partition}") });
        var expected = Enumerable.Range(0, partitions).Select(partition => $"{value}-{partition}").ToArray();
        await Eventually.IsTrueAsync(
            () => !expected.Except(members.SelectMany(member => member.Read)).Any(), () => $"without {string.Join(", ", expected.Except(members.SelectMany(member => member.Read)))}: {string.Join(" and ", members.Select(member => $"{member}"))}");
    }
}

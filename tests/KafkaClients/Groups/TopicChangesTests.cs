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

        await admin.DeleteTopicsAsync([topic]);
        await AreSharedAsync(2, first, second);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 3, ReplicationFactor = 1 }]);
        await AreSharedAsync(5, first, second);
        await ReadAsync(topic, 3, "anew", first, second);
        await ReadAsync(later, 2, "still", first, second);
        Assert.All(new[] { first, second }, member => Assert.Null(member.Failure));
    }

    /// <summary>What was committed in a topic is no position in the one that is made later under the same name.</summary>
    [Fact]
    public async Task Positions_AreNotThoseOfALaterTopicOfTheName()
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).SetLogHandler((_, _) => { }).Build();
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var simple = Topics.Consumer(broker.Bootstrap, config => config.GroupId = _group);
        simple.Commit([new TopicPartitionOffset(topic, 0, 5)]);
        long Position() => Assert.Single(simple.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(30))).Offset.Value;
        Assert.Equal(5, Position());

        await admin.DeleteTopicsAsync([topic]);
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1, ReplicationFactor = 1 }]);

        Assert.Equal(Offset.Unset.Value, Position());
        simple.Commit([new TopicPartitionOffset(topic, 0, 2)]);
        Assert.Equal(2, Position());
    }

    // No commits: that of a member which must give a deleted topic's partitions back names the topic, and librdkafka repeats it while the name is unknown;
    // where the name is there again by then, it is a position of the new topic, with Kafka too (OffsetCommit names topics by their ids from version 10 on).
    private GroupConsumer Join(GroupProtocol protocol, PartitionAssignmentStrategy? strategy) => new(broker.Bootstrap, _group, $"^{_family}.*", config =>
    {
        (config.PartitionAssignmentStrategy, config.TopicMetadataRefreshIntervalMs, config.EnableAutoCommit) = (strategy, 300, false);
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

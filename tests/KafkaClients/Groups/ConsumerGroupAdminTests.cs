using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Groups;

/// <summary>Groups of group.protocol=consumer as Confluent.Kafka's AdminClient sees and changes them.</summary>
public sealed class ConsumerGroupAdminTests(BrokerFixture broker)
{
    private const int Partitions = 3;

    [Fact]
    public async Task LivingGroup_IsListedByStateAndTypeAndDescribed()
    {
        using var admin = Admin();
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var member = new GroupConsumer(broker.Bootstrap, group, topic, config =>
        {
            GroupConsumer.SpeakConsumerProtocol(config);
            (config.ClientId, config.GroupInstanceId, config.GroupRemoteAssignor) = ("the-client", "the-instance", "range");
        });
        await Eventually.IsTrueAsync(() => member.Assigned.Count == Partitions, () => $"{member.Assigned.Count}");

        var stable = await ListAsync(admin, group, ConsumerGroupState.Stable, ConsumerGroupType.Consumer);
        var described = Assert.Single((await admin.DescribeConsumerGroupsAsync([group])).ConsumerGroupDescriptions);

        Assert.Equal((ConsumerGroupState.Stable, ConsumerGroupType.Consumer, false), (stable!.State, stable.Type, stable.IsSimpleConsumerGroup));
        Assert.Null(await ListAsync(admin, group, ConsumerGroupState.Empty, ConsumerGroupType.Consumer));
        Assert.Null(await ListAsync(admin, group, ConsumerGroupState.Stable, ConsumerGroupType.Classic));
        Assert.Equal((ConsumerGroupState.Stable, "range"), (described.State, described.PartitionAssignor));
        var only = Assert.Single(described.Members);
        Assert.Equal(("the-client", "the-instance", member.MemberId, "/127.0.0.1"), (only.ClientId, only.GroupInstanceId, only.ConsumerId, only.Host));
        Assert.Equal([0, 1, 2], only.Assignment.TopicPartitions.Select(one => one.Partition.Value).Order());
    }

    [Fact]
    public async Task LivingGroup_IsNotDeletedNorItsPositionsChanged()
    {
        using var admin = Admin();
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var member = new GroupConsumer(broker.Bootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol);
        await Eventually.IsTrueAsync(() => member.Assigned.Count == Partitions, () => $"{member.Assigned.Count}");
        await ReadAsync(admin, group, topic, member);

        var deleted = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));
        var forgotten = await Assert.ThrowsAsync<DeleteConsumerGroupOffsetsException>(() => admin.DeleteConsumerGroupOffsetsAsync(group, [new(topic, 0)]));
        var altered = await Assert.ThrowsAsync<AlterConsumerGroupOffsetsException>(
            () => admin.AlterConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitionOffsets(group, [new(topic, 0, 0)])]));

        Assert.Equal(ErrorCode.NonEmptyGroup, Assert.Single(deleted.Results).Error.Code);
        Assert.Equal(ErrorCode.GroupSubscribedToTopic, Assert.Single(forgotten.Result.Partitions).Error.Code);
        Assert.Equal(ErrorCode.UnknownMemberId, Assert.Single(Assert.Single(altered.Results).Partitions).Error.Code);
        Assert.Equal("1 1 1", await PositionsAsync(admin, group));
        Assert.Null(member.Failure);
    }

    [Fact]
    public async Task EmptyGroup_IsAlteredForgottenAndDeleted()
    {
        using var admin = Admin();
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using (var member = new GroupConsumer(broker.Bootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol))
        {
            await Eventually.IsTrueAsync(() => member.Assigned.Count == Partitions, () => $"{member.Assigned.Count}");
            await ReadAsync(admin, group, topic, member);
        }

        Assert.Equal(ConsumerGroupType.Consumer, (await ListAsync(admin, group, ConsumerGroupState.Empty, ConsumerGroupType.Consumer))!.Type);
        await admin.AlterConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitionOffsets(group, [new(topic, 1, 0)])]);
        Assert.Equal("1 0 1", await PositionsAsync(admin, group));
        await admin.DeleteConsumerGroupOffsetsAsync(group, [new(topic, 0)]);
        Assert.Equal("0 1", await PositionsAsync(admin, group));

        // Who comes next begins where it was put: partition 0 anew, 1 again.
        using (var next = new GroupConsumer(broker.Bootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol))
        {
            await Eventually.IsTrueAsync(() => next.Read.Count == 2, () => string.Join(", ", next.Read));
            Assert.Equal(["0", "1"], next.Read.Order());
        }

        await admin.DeleteGroupsAsync([group]);
        Assert.Empty(await PositionsAsync(admin, group));
        Assert.DoesNotContain((await admin.ListConsumerGroupsAsync()).Valid, one => one.GroupId == group);
        var gone = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));
        Assert.Equal(ErrorCode.GroupIdNotFound, Assert.Single(gone.Results).Error.Code);
    }

    /// <summary>One record to each partition, read and committed.</summary>
    private async Task ReadAsync(IAdminClient admin, string group, string topic, GroupConsumer member)
    {
        using (var producer = Topics.Producer(broker.Bootstrap))
        {
            for (var partition = 0; partition < Partitions; partition++)
                await producer.ProduceAsync(new TopicPartition(topic, partition), new() { Value = Encoding.UTF8.GetBytes($"{partition}") });
        }

        await Eventually.IsTrueAsync(() => member.Read.Count == Partitions, () => $"{member.Read.Count} records");
        await Eventually.IsTrueAsync(async () => await PositionsAsync(admin, group) == "1 1 1", () => "not committed");
    }

    /// <summary>In the order of their partitions.</summary>
    private static async Task<string> PositionsAsync(IAdminClient admin, string group)
    {
        var found = Assert.Single(await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, null)])).Partitions;
        return string.Join(' ', found.OrderBy(one => one.Partition.Value).Select(one => one.Offset.Value));
    }

    private static async Task<ConsumerGroupListing?> ListAsync(IAdminClient admin, string group, ConsumerGroupState state, ConsumerGroupType type) =>
        (await admin.ListConsumerGroupsAsync(new ListConsumerGroupsOptions { MatchStates = [state], MatchTypes = [type] })).Valid.SingleOrDefault(one => one.GroupId == group);

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).SetLogHandler((_, _) => { }).Build();
}

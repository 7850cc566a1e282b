using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Groups;

/// <summary>Groups and their positions as Confluent.Kafka's AdminClient sees them, with the refusals it tells.</summary>
public sealed class GroupAdminTests(BrokerFixture broker)
{
    [Fact]
    public async Task LivingGroup_IsListedDescribedAndNotDeleted()
    {
        using var admin = Admin();
        var topic = await Topics.CreateAsync(broker.Bootstrap, 2);
        var group = $"g-{Guid.NewGuid():N}";
        using var member = new GroupConsumer(broker.Bootstrap, group, topic, config => config.ClientId = "the-client");
        await Eventually.IsTrueAsync(() => member.Assigned.Count == 2, () => $"{member.Assigned.Count}");

        var stable = await admin.ListConsumerGroupsAsync(new ListConsumerGroupsOptions { MatchStates = [ConsumerGroupState.Stable] });
        var empty = await admin.ListConsumerGroupsAsync(new ListConsumerGroupsOptions { MatchStates = [ConsumerGroupState.Empty] });
        var described = Assert.Single((await admin.DescribeConsumerGroupsAsync([group])).ConsumerGroupDescriptions);
        var failure = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));

        Assert.Contains(stable.Valid, listed => listed.GroupId == group && listed.State == ConsumerGroupState.Stable);
        Assert.DoesNotContain(empty.Valid, listed => listed.GroupId == group);
        Assert.Equal(ConsumerGroupState.Stable, described.State);
        Assert.Equal("range", described.PartitionAssignor);
        var only = Assert.Single(described.Members);
        Assert.Equal(("the-client", member.MemberId, "/127.0.0.1"), (only.ClientId, only.ConsumerId, only.Host));
        Assert.Equal(2, only.Assignment.TopicPartitions.Count);
        Assert.Equal(ErrorCode.NonEmptyGroup, Assert.Single(failure.Results).Error.Code);
    }

    [Fact]
    public async Task Offsets_AreAlteredListedAndGoneWithTheGroup()
    {
        using var admin = Admin();
        var topic = await Topics.CreateAsync(broker.Bootstrap, 2);
        var group = $"g-{Guid.NewGuid():N}";

        await admin.AlterConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitionOffsets(group, [new(topic, 0, 5), new(topic, 1, 7)])]);
        var all = Assert.Single(await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, null)]));
        var some = Assert.Single(await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, [new(topic, 1), new(topic, 9)])]));
        Assert.Equal([5L, 7L], all.Partitions.OrderBy(one => one.Partition.Value).Select(one => one.Offset.Value));
        Assert.Equal([7L, Offset.Unset.Value], some.Partitions.Select(one => one.Offset.Value));

        await admin.DeleteConsumerGroupOffsetsAsync(group, [new(topic, 0)]);
        var left = Assert.Single(await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, null)]));
        Assert.Equal(1, Assert.Single(left.Partitions).Partition.Value);

        await admin.DeleteGroupsAsync([group]);
        var gone = await Assert.ThrowsAsync<DeleteGroupsException>(() => admin.DeleteGroupsAsync([group]));
        Assert.Equal(ErrorCode.GroupIdNotFound, Assert.Single(gone.Results).Error.Code);
        Assert.Empty(Assert.Single(await admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions(group, null)])).Partitions);
    }

    [Fact]
    public async Task BadCommits_AreRefusedAsKafkaDoes()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        using var consumer = Topics.Consumer(broker.Bootstrap, config => config.GroupId = $"g-{Guid.NewGuid():N}");

        var unknown = Assert.ThrowsAny<KafkaException>(() => consumer.Commit([new TopicPartitionOffset(topic, 0, 1), new TopicPartitionOffset(topic, 3, 1)]));
        Assert.Equal(ErrorCode.UnknownTopicOrPart, unknown.Error.Code);
        Assert.Equal(1, Assert.Single(consumer.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(10))).Offset.Value);

        using var admin = Admin();
        var group = $"g-{Guid.NewGuid():N}";
        using var member = new GroupConsumer(broker.Bootstrap, group, topic);
        await Eventually.IsTrueAsync(() => member.Assigned.Count == 1, () => $"{member.Assigned.Count}");
        var busy = await Assert.ThrowsAnyAsync<KafkaException>(() => admin.AlterConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitionOffsets(group, [new(topic, 0, 5)])]));
        var subscribed = await Assert.ThrowsAnyAsync<KafkaException>(() => admin.DeleteConsumerGroupOffsetsAsync(group, [new(topic, 0)]));
        Assert.Contains("UnknownMember", $"{busy.Error.Code} {(busy as AlterConsumerGroupOffsetsException)?.Results.FirstOrDefault()?.Partitions.FirstOrDefault()?.Error.Code}", StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(subscribed);
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build();
}

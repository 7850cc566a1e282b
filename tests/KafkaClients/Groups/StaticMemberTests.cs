using System.Text;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Groups;

/// <summary>Static members (group.instance.id) of Confluent.Kafka: one that comes back in time costs nobody a partition, and there is one of each name.</summary>
public sealed class StaticMemberTests(BrokerFixture broker)
{
    private const int Partitions = 4;

    [Theory]
    [InlineData(GroupProtocol.Classic)]
    [InlineData(GroupProtocol.Consumer)]
    public async Task StaticMember_ComesBack_WithoutARebalance(GroupProtocol protocol)
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var other = Join(protocol, group, topic, "a");
        var former = Join(protocol, group, topic, "b");
        await Eventually.IsTrueAsync(() => other.Assigned.Count == 2 && former.Assigned.Count == 2, () => $"{other.Assigned.Count} and {former.Assigned.Count}");
        var (had, formerId, rebalances) = (former.Assigned.Order().ToArray(), former.MemberId, other.Rebalances);
        former.Dispose();

        // Nobody reads these until it is back.
        Produce(topic, had);
        using var again = Join(protocol, group, topic, "b");
        await Eventually.IsTrueAsync(() => again.Read.Count == had.Length, () => $"{again.Read.Count} records of {again.Assigned.Count} partitions");

        Assert.Equal(had, again.Assigned.Order());
        Assert.NotEqual(formerId, again.MemberId);
        Assert.Equal(rebalances, other.Rebalances);
        Assert.Empty(other.Read);
    }

    /// <summary>The classic protocol has the newer one take over.</summary>
    [Fact]
    public async Task Classic_SecondOfAName_FencesTheFirst()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var first = Join(GroupProtocol.Classic, group, topic, "a");
        await Eventually.IsTrueAsync(() => first.Assigned.Count == Partitions, () => $"{first.Assigned.Count}");

        using var second = Join(GroupProtocol.Classic, group, topic, "a");

        await Eventually.IsTrueAsync(() => second.Assigned.Count == Partitions && first.Failure is not null, () => $"{second.Assigned.Count} and '{first.Failure}'");
        Assert.Equal(ErrorCode.FencedInstanceId, first.Failure!.Code);
        Assert.Null(second.Failure);
    }

    /// <summary>The consumer protocol (KIP-848) refuses the newer one while the older lives.</summary>
    [Fact]
    public async Task Consumer_SecondOfAName_IsRefusedUntilTheFirstIsGone()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        var first = Join(GroupProtocol.Consumer, group, topic, "a");
        await Eventually.IsTrueAsync(() => first.Assigned.Count == Partitions, () => $"{first.Assigned.Count}");
        var rebalances = first.Rebalances;

        using (var second = Join(GroupProtocol.Consumer, group, topic, "a"))
        {
            await Eventually.IsTrueAsync(() => second.Failure is not null, () => $"it is not refused, and has {second.Assigned.Count} partitions");
            Assert.Equal(ErrorCode.UnreleasedInstanceId, second.Failure!.Code);
            Assert.Empty(second.Assigned);
        }

        Produce(topic, [0, 1, 2, 3]);
        await Eventually.IsTrueAsync(() => first.Read.Count == Partitions, () => $"{first.Read.Count} records after the other was refused: {first.Failure}");
        Assert.Equal(rebalances, first.Rebalances);
        first.Dispose();
        using var third = Join(GroupProtocol.Consumer, group, topic, "a");
        await Eventually.IsTrueAsync(() => third.Assigned.Count == Partitions, () => $"{third.Assigned.Count} and '{third.Failure}'");
    }

    private GroupConsumer Join(GroupProtocol protocol, string group, string topic, string instance) => new(broker.Bootstrap, group, topic, config =>
    {
        config.SessionTimeoutMs = 30_000;
        if (protocol == GroupProtocol.Consumer)
            GroupConsumer.SpeakConsumerProtocol(config);
        config.GroupInstanceId = instance;
    });

    private void Produce(string topic, IEnumerable<int> partitions)
    {
        using var producer = Topics.Producer(broker.Bootstrap);
        foreach (var partition in partitions)
            producer.Produce(new TopicPartition(topic, partition), new() { Value = Encoding.UTF8.GetBytes($"{partition}") });
        producer.Flush(TimeSpan.FromSeconds(30));
    }
}

using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>Positions of groups on a silo that keeps them for two seconds after the group is empty.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task Positions_VanishAfterTheGroupIsEmpty_AndStayWhileItLives()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.1",
                ["Granary__Groups__OffsetsRetention"] = "00:00:02",
                ["Granary__Groups__ExpiryInterval"] = "00:00:00.2",
            },
        });
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = silo.KafkaBootstrap }).SetLogHandler((_, _) => { }).Build();
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap);
        using (var producer = Topics.Producer(silo.KafkaBootstrap))
            await producer.ProduceAsync(topic, new() { Value = [1] });

        // The living commit first, and nothing after it: theirs are the oldest positions of all.
        using var classic = new GroupConsumer(silo.KafkaBootstrap, "living-classic", topic);
        using var modern = new GroupConsumer(silo.KafkaBootstrap, "living-modern", topic, GroupConsumer.SpeakConsumerProtocol);
        await Eventually.IsTrueAsync(() => PositionOf(silo, "living-classic", topic) == 1 && PositionOf(silo, "living-modern", topic) == 1, () => "not committed");
        using (var leaving = new GroupConsumer(silo.KafkaBootstrap, "left-classic", topic))
        using (var leavingToo = new GroupConsumer(silo.KafkaBootstrap, "left-modern", topic, GroupConsumer.SpeakConsumerProtocol))
            await Eventually.IsTrueAsync(() => PositionOf(silo, "left-classic", topic) == 1 && PositionOf(silo, "left-modern", topic) == 1, () => "not committed");
        await admin.AlterConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitionOffsets("without-members", [new(topic, 0, 1)])]);

        foreach (var group in new[] { "left-classic", "left-modern", "without-members" })
            await Eventually.IsTrueAsync(() => PositionOf(silo, group, topic) is null, () => $"the position of {group} is still kept");

        Assert.Equal(1, PositionOf(silo, "living-classic", topic));
        Assert.Equal(1, PositionOf(silo, "living-modern", topic));

        // Without members and without positions there is nothing left of a group, which the next check finds.
        await Eventually.IsTrueAsync(
            async () => (await admin.ListConsumerGroupsAsync()).Valid.TrueForAll(group => group.GroupId != "without-members"), () => "the group is still listed");
    }

    /// <summary>
    /// As a consumer that joins nothing asks: librdkafka's AdminClient ends the process where a coordinator answers this with an error that it is to ask again after.
    /// </summary>
    private static long? PositionOf(SiloProcess silo, string group, string topic)
    {
        using var asking = Topics.Consumer(silo.KafkaBootstrap, config => config.GroupId = group);
        var offset = Assert.Single(asking.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(20))).Offset;
        return offset == Offset.Unset ? null : offset.Value;
    }
}

using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>Groups of Confluent.Kafka's consumers (librdkafka) with group.protocol=consumer (KIP-848), and with members of both protocols.</summary>
public sealed class ConsumerProtocolTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Partitions = 6;

    [Fact]
    public async Task Members_ComeAndGo_AndEachRecordIsRead()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var first = Join(group, topic);
        await Eventually.IsTrueAsync(() => first.Assigned.Count == Partitions, () => $"the only member has {first.Assigned.Count}");
        using var second = Join(group, topic);
        var third = Join(group, topic);
        await Eventually.IsTrueAsync(() => first.Assigned.Count == 2 && second.Assigned.Count == 2 && third.Assigned.Count == 2, () => $"{first.Assigned.Count}, {second.Assigned.Count}, {third.Assigned.Count}");
        Assert.Equal(Partitions, first.Assigned.Concat(second.Assigned).Concat(third.Assigned).Distinct().Count());
        Produce(topic, 0, 120);
        await Eventually.IsTrueAsync(() => Read(first, second, third) == 120, () => $"{Read(first, second, third)} of 120");

        var kept = first.Assigned.Concat(second.Assigned).ToHashSet();
        var leaving = Stopwatch.StartNew();
        third.Dispose();
        await Eventually.IsTrueAsync(() => first.Assigned.Count == 3 && second.Assigned.Count == 3, () => $"{first.Assigned.Count} and {second.Assigned.Count} after the third left");
        output.WriteLine($"all partitions again {leaving.ElapsedMilliseconds} ms after the third began to leave");
        Assert.Superset(kept, first.Assigned.Concat(second.Assigned).ToHashSet());
        Produce(topic, 120, 60);
        await Eventually.IsTrueAsync(() => Read(first, second, third) == 180, () => $"{Read(first, second, third)} of 180");
    }

    [Fact]
    public async Task ClassicAndConsumerMembers_ShareAGroup_ThatChangesItsProtocolAndBack()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var classic = new GroupConsumer(broker.Bootstrap, group, topic, config => config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky);
        await Eventually.IsTrueAsync(() => classic.Assigned.Count == Partitions, () => $"the only member has {classic.Assigned.Count}");
        var modern = Join(group, topic);
        await Eventually.IsTrueAsync(() => classic.Assigned.Count == 3 && modern.Assigned.Count == 3, () => $"{classic.Assigned.Count} and {modern.Assigned.Count}", seconds: 60);
        Assert.Empty(classic.Assigned.Intersect(modern.Assigned));
        Produce(topic, 0, 60);
        await Eventually.IsTrueAsync(() => Read(classic, modern) == 60, () => $"{Read(classic, modern)} of 60");

        modern.Dispose();
        await Eventually.IsTrueAsync(() => classic.Assigned.Count == Partitions, () => $"{classic.Assigned.Count} after the other left", seconds: 60);
        Produce(topic, 60, 60);
        await Eventually.IsTrueAsync(() => Read(classic, modern) == 120, () => $"{Read(classic, modern)} of 120");
    }

    [Fact]
    public async Task TopicThatGrows_IsSharedAnew()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, 2);
        var group = $"g-{Guid.NewGuid():N}";
        using var first = Join(group, topic);
        using var second = Join(group, topic);
        await Eventually.IsTrueAsync(() => first.Assigned.Count == 1 && second.Assigned.Count == 1, () => $"{first.Assigned.Count} and {second.Assigned.Count}");
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).SetLogHandler((_, _) => { }).Build();

        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 4 }]);

        await Eventually.IsTrueAsync(() => first.Assigned.Count == 2 && second.Assigned.Count == 2, () => $"{first.Assigned.Count} and {second.Assigned.Count}", seconds: 60);
    }

    private GroupConsumer Join(string group, string topic) => new(broker.Bootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol);

    private static int Read(params GroupConsumer[] members) => members.SelectMany(member => member.Read).Distinct().Count();

    private void Produce(string topic, int from, int count)
    {
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var index = from; index < from + count; index++)
            producer.Produce(new TopicPartition(topic, index % Partitions), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{index}") });
        producer.Flush(TimeSpan.FromSeconds(30));
    }
}

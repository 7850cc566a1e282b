using System.Diagnostics;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>Groups of Confluent.Kafka's consumers (librdkafka), classic protocol.</summary>
public sealed class ConfluentGroupTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Partitions = 4;

    [Theory]
    [InlineData(PartitionAssignmentStrategy.Range)]
    [InlineData(PartitionAssignmentStrategy.RoundRobin)]
    [InlineData(PartitionAssignmentStrategy.CooperativeSticky)]
    public async Task TwoMembers_ShareAndOneLeaves_EachRecordIsRead(PartitionAssignmentStrategy strategy)
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var first = new GroupConsumer(broker.Bootstrap, group, topic, config => config.PartitionAssignmentStrategy = strategy);
        await Eventually.IsTrueAsync(() => first.Assigned.Count == Partitions, () => "the only member has not got all");
        var second = new GroupConsumer(broker.Bootstrap, group, topic, config => config.PartitionAssignmentStrategy = strategy);
        await Eventually.IsTrueAsync(() => first.Assigned.Count == 2 && second.Assigned.Count == 2, () => $"{first.Assigned.Count} and {second.Assigned.Count}");
        Assert.Empty(first.Assigned.Intersect(second.Assigned));
        Produce(topic, 0, 200);
        await Eventually.IsTrueAsync(() => first.Read.Count + second.Read.Count >= 200, () => $"{first.Read.Count} and {second.Read.Count} of 200");
        Assert.NotEmpty(second.Read);

        var leaving = Stopwatch.StartNew();
        second.Dispose();
        await Eventually.IsTrueAsync(() => first.Assigned.Count == Partitions, () => $"{first.Assigned.Count} after the other left");
        output.WriteLine($"all partitions again {leaving.ElapsedMilliseconds} ms after the other began to leave");
        Produce(topic, 200, 100);

        await Eventually.IsTrueAsync(() => first.Read.Union(second.Read).Count() == 300, () => $"{first.Read.Union(second.Read).Count()} of 300");
    }

    [Fact]
    public async Task Commit_ThenAnotherMember_GoesOnThere()
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        var group = $"g-{Guid.NewGuid():N}";
        Produce(topic, 0, 20);
        using (var consumer = Topics.Consumer(broker.Bootstrap, config => (config.GroupId, config.AutoOffsetReset) = (group, AutoOffsetReset.Earliest)))
        {
            consumer.Subscribe(topic);
            for (var count = 0; count < 7; count++)
                consumer.Commit(consumer.Consume(TimeSpan.FromSeconds(30)));
            consumer.Close();
        }

        using var next = new GroupConsumer(broker.Bootstrap, group, topic);
        await Eventually.IsTrueAsync(() => next.Read.Count >= 13, () => $"{next.Read.Count}");

        Assert.Equal("7", next.Read.First());
        Assert.Equal(13, next.Read.Count);
    }

    [Fact]
    public async Task CommittedOffsets_SurviveKillOfTheSilo_AndMembersGoOn()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var member = new GroupConsumer(silo.KafkaBootstrap, group, topic, config => config.SessionTimeoutMs = 30_000);
        await Eventually.IsTrueAsync(() => member.Assigned.Count == Partitions, () => "no assignment");
        using var simple = Topics.Consumer(silo.KafkaBootstrap, config => config.GroupId = $"{group}-simple");
        var highest = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var offset = 0; offset < 50; offset++)
                simple.Commit([new TopicPartitionOffset(topic, 1, ++highest)]);
            silo.Kill();
            await silo.RestartAsync();
            var kept = Assert.Single(simple.Committed([new TopicPartition(topic, 1)], TimeSpan.FromSeconds(30)));
            Assert.Equal(highest, kept.Offset.Value);
        }

        var revocations = member.Revocations;
        using (var producer = Topics.Producer(silo.KafkaBootstrap))
        {
            for (var index = 0; index < 40; index++)
                await producer.ProduceAsync(new TopicPartition(topic, index % Partitions), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{index}") });
        }

        await Eventually.IsTrueAsync(() => member.Read.Distinct().Count() == 40, () => $"{member.Read.Count}");
        Assert.Equal(0, revocations);
    }

    private void Produce(string topic, int from, int count)
    {
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var index = from; index < from + count; index++)
            producer.Produce(new TopicPartition(topic, index % (count == 20 ? 1 : Partitions)), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{index}") });
        producer.Flush(TimeSpan.FromSeconds(30));
    }
}

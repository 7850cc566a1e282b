using System.Collections.Concurrent;
using Confluent.Kafka;
using Granary.Abstractions.Clients;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using TopicPartition = Confluent.Kafka.TopicPartition;

namespace Granary.KafkaClients.Groups;

/// <summary>Members of a group that read over grain calls (<see cref="LogConsumer.Subscribe"/>), with Confluent.Kafka's in the same group.</summary>
public sealed class InClusterMembersTests(ITestOutputHelper output)
{
    private const int Partitions = 6;

    [Fact]
    public async Task KafkaClientAndInClusterMembers_ShareAGroup_AndEachRecordIsRead()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        await using var client = await ClusterClient.ConnectAsync(silo.PostgresConnectionString, "granary");
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        using var foreign = new GroupConsumer(silo.KafkaBootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol);
        await Eventually.IsTrueAsync(() => foreign.Assigned.Count == Partitions, () => $"the only member has {foreign.Assigned.Count}");
        await using var first = new Member(client.Grains, topic, group);
        var second = new Member(client.Grains, topic, group);
        await Eventually.IsTrueAsync(() => foreign.Assigned.Count == 2 && first.Assigned == 2 && second.Assigned == 2, () => $"{foreign.Assigned.Count}, {first.Assigned}, {second.Assigned}");

        Produce(silo, topic, 0, 120);
        await Eventually.IsTrueAsync(() => Read(foreign, first, second).Distinct().Count() == 120, () => $"{Read(foreign, first, second).Distinct().Count()} of 120");
        Assert.All(new[] { foreign.Read.Count, first.Read.Count, second.Read.Count }, count => Assert.True(count > 0));

        await second.DisposeAsync();
        await Eventually.IsTrueAsync(() => foreign.Assigned.Count == 3 && first.Assigned == 3, () => $"{foreign.Assigned.Count} and {first.Assigned} after one left");
        Produce(silo, topic, 120, 60);
        await Eventually.IsTrueAsync(() => Read(foreign, first, second).Distinct().Count() == 180, () => $"{Read(foreign, first, second).Distinct().Count()} of 180");
        output.WriteLine($"{Read(foreign, first, second).Count() - 180} records were read twice");
    }

    [Fact]
    public async Task SiloKilled_InClusterMembersGoOn_AndLoseNothing()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 2 });
        await using var client = await ClusterClient.ConnectAsync(cluster);
        var topic = await Topics.CreateAsync(cluster.KafkaBootstrap, Partitions);
        var group = $"g-{Guid.NewGuid():N}";
        await using var first = new Member(client.Grains, topic, group);
        await using var second = new Member(client.Grains, topic, group);
        await Eventually.IsTrueAsync(() => first.Assigned == 3 && second.Assigned == 3, () => $"{first.Assigned} and {second.Assigned}");
        Produce(cluster[0], topic, 0, 60);
        await Eventually.IsTrueAsync(() => first.Read.Concat(second.Read).Distinct().Count() == 60, () => $"{first.Read.Concat(second.Read).Distinct().Count()} of 60");

        cluster[1].Kill();
        Produce(cluster[0], topic, 60, 60);

        await Eventually.IsTrueAsync(
            () => first.Read.Concat(second.Read).Distinct().Count() == 120, () => $"{first.Read.Concat(second.Read).Distinct().Count()} of 120", seconds: 60);
    }

    private static IEnumerable<string> Read(GroupConsumer foreign, params Member[] members) => foreign.Read.Concat(members.SelectMany(member => member.Read));

    private static void Produce(SiloProcess silo, string topic, int from, int count)
    {
        using var producer = Topics.Producer(silo.KafkaBootstrap);
        for (var index = from; index < from + count; index++)
            producer.Produce(new TopicPartition(topic, index % Partitions), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{index}") });
        producer.Flush(TimeSpan.FromSeconds(30));
    }

    /// <summary>Reads until it is disposed, which leaves the group.</summary>
    private sealed class Member : IAsyncDisposable
    {
        private readonly LogConsumer _consumer;
        private readonly Task _reading;
        private int _assigned;

        public Member(IGrainFactory grains, string topic, string group)
        {
            _consumer = new LogConsumer(grains);
            _consumer.Subscribe([topic], group, new SubscriptionOptions
            {
                AutoCommitInterval = TimeSpan.FromMilliseconds(200),
                Assigned = given => Count(given.Count),
                Revoked = taken => Count(-taken.Count),
                Lost = lost => Count(-lost.Count),
            });
            _reading = Task.Run(ReadAsync);
        }

        public int Assigned => Volatile.Read(ref _assigned);

        public ConcurrentQueue<string> Read { get; } = new();

        public async ValueTask DisposeAsync()
        {
            await _consumer.DisposeAsync();
            await _reading;
        }

        private Task Count(int difference)
        {
            Interlocked.Add(ref _assigned, difference);
            return Task.CompletedTask;
        }

        private async Task ReadAsync()
        {
            await foreach (var record in _consumer.ReadAsync())
                Read.Enqueue(record.ValueText!);
        }
    }
}

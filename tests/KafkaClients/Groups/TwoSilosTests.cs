using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>Groups of two silos, of which one dies and comes back: coordinators move, members keep what they have.</summary>
public sealed class TwoSilosTests(ITestOutputHelper output)
{
    private const int Groups = 6;

    [Fact]
    public async Task CoordinatorsMove_WithoutARebalance()
    {
        await using var first = await SiloProcess.StartAsync(new SiloProcessOptions());
        await using var second = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            ConnectionString = first.PostgresConnectionString,
            Settings = new Dictionary<string, string> { ["Granary__SiloName"] = "silo-2" },
        });
        var topic = await Topics.CreateAsync(first.KafkaBootstrap, 2);
        var bootstrap = $"{first.KafkaBootstrap},{second.KafkaBootstrap}";
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).SetLogHandler((_, _) => { }).Build();
        await Eventually.IsTrueAsync(() => admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Count == 2, () => "one broker only");
        var names = Enumerable.Range(0, Groups).Select(_ => $"g-{Guid.NewGuid():N}").ToArray();
        var members = names.Select(name => new GroupConsumer(bootstrap, name, topic, config => config.SessionTimeoutMs = 30_000)).ToList();
        try
        {
            await Eventually.IsTrueAsync(() => members.All(member => member.Assigned.Count == 2), () => "not all have got their partitions");
            var coordinators = (await admin.DescribeConsumerGroupsAsync(names)).ConsumerGroupDescriptions.Select(group => group.Coordinator.Id).ToArray();
            output.WriteLine($"coordinators: {string.Join(", ", coordinators)}");
            await ProduceAsync(first, topic, members, 1);

            second.Kill();
            await ProduceAsync(first, topic, members, 2);
            await second.RestartAsync();
            await Eventually.IsTrueAsync(() => admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Count == 2, () => "one broker only");
            await ProduceAsync(first, topic, members, 3);

            Assert.All(members, member => Assert.Equal(0, member.Revocations));
            var again = (await admin.DescribeConsumerGroupsAsync(names)).ConsumerGroupDescriptions;
            Assert.All(again, group => Assert.Equal(ConsumerGroupState.Stable, group.State));
        }
        finally
        {
            members.ForEach(member => member.Dispose());
        }
    }

    private static async Task ProduceAsync(SiloProcess silo, string topic, List<GroupConsumer> members, int round)
    {
        using var producer = Topics.Producer(silo.KafkaBootstrap);
        for (var index = 0; index < 10; index++)
            await producer.ProduceAsync(new TopicPartition(topic, index % 2), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{round}-{index}") });
        await Eventually.IsTrueAsync(
            () => members.All(member => member.Read.Distinct().Count() == 10 * round), () => string.Join(", ", members.Select(member => member.Read.Distinct().Count())), seconds: 60);
    }
}

using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>One group of every kind of member: kcat, kafkajs, Confluent.Kafka by either protocol, and one inside the cluster; they come, leave and die.</summary>
public sealed class AllKindsTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Partitions = 10;
    private const int Round = 60;

    private static readonly string? s_kcat = ChildProgram.Find("kcat");
    private static readonly string? s_node = ChildProgram.Find("node");

    private readonly string _group = $"g-{Guid.NewGuid():N}";

    [Fact]
    public async Task Members_OfEveryKind_ReadEachRecord_AndOnceWhereNobodyDies()
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        Assert.SkipWhen(s_node is null, "Node.js is not installed");
        Assert.SkipWhen(!Directory.Exists(Path.Combine(ForeignRecord.Folder("js"), "node_modules")), "kafkajs is not installed: ./dev test installs it with npm");
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).SetLogHandler((_, _) => { }).Build();
        await using var client = await ClusterClient.ConnectAsync(broker.PostgresConnectionString, "granary");
        var topic = await Topics.CreateAsync(broker.Bootstrap, Partitions);

        // All of the classic protocol: a client decides who gets what.
        await using var kcat = ForeignMember.Kcat(s_kcat!, broker.Bootstrap, _group, topic);
        await using var js = ForeignMember.KafkaJs(s_node!, broker.Bootstrap, _group, topic);
        using var classic = new GroupConsumer(broker.Bootstrap, _group, topic, config => config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.Range);
        await AreAssignedAsync(admin, 3);
        IEnumerable<string> Read() => kcat.Read.Concat(js.Read).Concat(classic.Read).ToArray();
        await ReadRoundAsync(topic, 0, Read);
        Assert.All(new[] { kcat.Read, js.Read, classic.Read }, read => Assert.NotEmpty(read));

        // The coordinator decides, once a member asks it to.
        var modern = new GroupConsumer(broker.Bootstrap, _group, topic, GroupConsumer.SpeakConsumerProtocol);
        var inside = new InClusterMember(client.Grains, topic, _group);
        await AreAssignedAsync(admin, 5);
        IEnumerable<string> ReadByAll() => Read().Concat(modern.Read).Concat(inside.Read).ToArray();
        await ReadRoundAsync(topic, 1, ReadByAll);
        Assert.All(new[] { modern.Read, inside.Read }, read => Assert.NotEmpty(read));
        Assert.Equal(2 * Round, ReadByAll().Count());

        // Leaving, each after it has committed what it did.
        await js.LeaveAsync(byInput: true);
        await inside.DisposeAsync();
        await AreAssignedAsync(admin, 3);
        await ReadRoundAsync(topic, 2, ReadByAll);
        Assert.Equal(3 * Round, ReadByAll().Count());

        // One dies; what it had read and not committed is read again, and nothing is lost. Then the last of the consumer protocol goes.
        await kcat.KillAsync();
        await ReadRoundAsync(topic, 3, ReadByAll);
        modern.Dispose();
        await Eventually.IsTrueAsync(() => classic.Assigned.Count == Partitions, () => $"{classic.Assigned.Count} of {Partitions} with the last member");
        await ReadRoundAsync(topic, 4, ReadByAll);
        output.WriteLine($"{ReadByAll().Count() - 5 * Round} of {5 * Round} records were read twice");
    }

    private async Task ReadRoundAsync(string topic, int round, Func<IEnumerable<string>> read)
    {
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var index = 0; index < Round; index++)
            producer.Produce(new TopicPartition(topic, index % Partitions), new() { Value = Encoding.UTF8.GetBytes($"{round}-{index}") });
        producer.Flush(TimeSpan.FromSeconds(30));
        await Eventually.IsTrueAsync(() => read().Distinct().Count() == (round + 1) * Round, () => $"round {round}: {read().Distinct().Count()} of {(round + 1) * Round}");
    }

    /// <summary>That many members have a share, and all partitions are theirs.</summary>
    private async Task AreAssignedAsync(IAdminClient admin, int members)
    {
        var seen = "";
        await Eventually.IsTrueAsync(
            async () =>
            {
                var described = Assert.Single((await admin.DescribeConsumerGroupsAsync([_group])).ConsumerGroupDescriptions);
                var shares = described.Members.Select(member => member.Assignment.TopicPartitions.Count).ToArray();
                seen = $"{described.State}: {string.Join(", ", shares)}";
                return described.State == ConsumerGroupState.Stable && shares.Length == members && shares.Sum() == Partitions && shares.All(share => share > 0);
            },
            () => seen);
    }
}

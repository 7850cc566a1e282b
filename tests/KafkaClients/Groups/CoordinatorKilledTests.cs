using System.Net;
using System.Text;
using Confluent.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using Granary.Support.Kafka;

namespace Granary.KafkaClients.Groups;

/// <summary>
/// Three silos, of which the one that coordinates a group of each protocol is killed and comes back: coordinators move, members keep what they have
/// and are not called to a rebalance, and positions never go back. Who reads by assignment, and so hears of no move, is told positions by the former coordinator.
/// </summary>
public sealed class CoordinatorKilledTests(ITestOutputHelper output)
{
    private const int Victim = 1;
    private const int Commits = 20;

    [Fact]
    public async Task CoordinatorsMove_WithoutARebalance_AndPositionsNeverGoBack()
    {
        var settings = new Dictionary<string, string> { ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.1" };
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Settings = settings });
        var topic = await Topics.CreateAsync(cluster[0].KafkaBootstrap, WatchedGroup.Partitions);
        await AwaitBrokersAsync(cluster);
        await using var classic = new WatchedGroup(cluster.KafkaBootstrap, await NameOfVictimAsync(cluster), topic, WatchedGroup.SpeakClassicProtocol);
        await using var modern = new WatchedGroup(cluster.KafkaBootstrap, await NameOfVictimAsync(cluster), topic, GroupConsumer.SpeakConsumerProtocol);
        var readers = await NameOfVictimAsync(cluster);
        using var reader = Topics.Consumer(cluster.KafkaBootstrap, config => (config.GroupId, config.AutoOffsetReset) = (readers, AutoOffsetReset.Earliest));
        WatchedGroup[] groups = [classic, modern];
        await Eventually.IsTrueAsync(() => groups.All(group => group.IsShared), () => string.Join("; ", groups.AsEnumerable()));
        var disturbances = groups.Select(group => group.Disturbances).ToArray();
        await GoOnAsync(cluster, topic, groups, 1);

        cluster[Victim].Kill();
        await GoOnAsync(cluster, topic, groups, 2);
        Assert.Equal(disturbances, groups.Select(group => group.Disturbances));
        Begin(reader, topic, 0);
        await cluster.StartAsync(Victim);
        await AwaitBrokersAsync(cluster);
        await Eventually.IsTrueAsync(async () => (await CoordinatorsAsync(cluster, readers)).Single().IsVictim, () => $"{readers} is coordinated elsewhere");
        Begin(reader, topic, 1);
        await GoOnAsync(cluster, topic, groups, 3);

        output.WriteLine(string.Join("; ", groups.AsEnumerable()));
        Assert.Equal(disturbances, groups.Select(group => group.Disturbances));
        Assert.All(groups, group => Assert.True(group.IsShared, $"{group}"));
        Assert.All(groups, group => Assert.Null(group.Wrong));
    }

    /// <summary>All records are read, commits are acknowledged, and positions are told.</summary>
    private static async Task GoOnAsync(ClusterProcess cluster, string topic, WatchedGroup[] groups, int round)
    {
        var before = groups.Select(group => (group.Acknowledged, group.Answers)).ToArray();
        using var producer = Topics.Producer(cluster[0].KafkaBootstrap);
        for (var index = 0; index < 12; index++)
            await producer.ProduceAsync(new TopicPartition(topic, index % WatchedGroup.Partitions), new() { Value = Encoding.UTF8.GetBytes($"{round}-{index}") });
        await Eventually.IsTrueAsync(
            () => groups.Zip(before, (now, before) => (Now: now, Before: before)).All(one => one.Now.Read == 12 * round && one.Now.Acknowledged >= one.Before.Acknowledged + Commits && one.Now.Answers > one.Before.Answers),
            () => $"round {round}: {string.Join("; ", groups.AsEnumerable())}",
            seconds: 60);
    }

    private static async Task AwaitBrokersAsync(ClusterProcess cluster)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster[0].KafkaBootstrap }).SetLogHandler((_, _) => { }).Build();
        await Eventually.IsTrueAsync(() => admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Count == cluster.Count, () => "a broker is missing", seconds: 60);
    }

    /// <summary>Reads one more partition, from where its group is in it: nowhere, so from its start.</summary>
    private static void Begin(IConsumer<byte[]?, byte[]?> reader, string topic, int partition)
    {
        reader.IncrementalAssign([new TopicPartitionOffset(topic, partition, Offset.Stored)]);
        var place = new TopicPartitionOffset(topic, partition, 0);
        ConsumeResult<byte[]?, byte[]?>? record;
        do
        {
            record = reader.Consume(TimeSpan.FromSeconds(30));
            Assert.True(record is not null, $"partition {partition} is not read");
        }
        while (record.TopicPartitionOffset != place);
    }

    /// <summary>A group that the victim coordinates: which silo does follows from the name.</summary>
    private static async Task<string> NameOfVictimAsync(ClusterProcess cluster) =>
        (await CoordinatorsAsync(cluster, [.. Enumerable.Range(0, 50).Select(_ => $"g-{Guid.NewGuid():N}")])).First(one => one.IsVictim).Group;

    private static async Task<IEnumerable<(string Group, bool IsVictim)>> CoordinatorsAsync(ClusterProcess cluster, params string[] groups)
    {
        const short Version = 4;
        await using var wire = await KafkaWire.ConnectAsync(IPEndPoint.Parse(cluster[0].KafkaBootstrap));
        var request = new FindCoordinatorRequest();
        request.CoordinatorKeys.AddRange(groups);
        var id = await wire.SendAsync(FindCoordinatorRequest.ApiKey, Version, writer => request.Write(writer, Version));
        var found = await wire.ReceiveAsync(id, FindCoordinatorRequest.IsFlexible(Version), FindCoordinatorResponse.Read, Version);
        return found.Coordinators.Select(one => (one.Key!, $"{one.Host}:{one.Port}" == cluster[Victim].KafkaBootstrap));
    }
}

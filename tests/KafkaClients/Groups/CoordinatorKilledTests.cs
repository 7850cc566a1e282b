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
/// and are not called to a rebalance, and positions never go back.
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
        WatchedGroup[] groups = [classic, modern];
        await Eventually.IsTrueAsync(() => groups.All(group => group.IsShared), () => string.Join("; ", groups.AsEnumerable()));
        var disturbances = groups.Select(group => group.Disturbances).ToArray();
        await GoOnAsync(cluster, topic, groups, 1);

        cluster[Victim].Kill();
        await GoOnAsync(cluster, topic, groups, 2);
        Assert.Equal(disturbances, groups.Select(group => group.Disturbances));
        await cluster.StartAsync(Victim);
        await AwaitBrokersAsync(cluster);
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

    /// <summary>A group that the victim coordinates: which silo does follows from the name.</summary>
    private static async Task<string> NameOfVictimAsync(ClusterProcess cluster)
    {
        const short Version = 4;
        await using var wire = await KafkaWire.ConnectAsync(IPEndPoint.Parse(cluster[0].KafkaBootstrap));
        var request = new FindCoordinatorRequest();
        request.CoordinatorKeys.AddRange(Enumerable.Range(0, 50).Select(_ => $"g-{Guid.NewGuid():N}"));
        var id = await wire.SendAsync(FindCoordinatorRequest.ApiKey, Version, writer => request.Write(writer, Version));
        var found = await wire.ReceiveAsync(id, FindCoordinatorRequest.IsFlexible(Version), FindCoordinatorResponse.Read, Version);
        return found.Coordinators.First(one => $"{one.Host}:{one.Port}" == cluster[Victim].KafkaBootstrap).Key!;
    }
}

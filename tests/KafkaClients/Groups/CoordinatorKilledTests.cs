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
    private const int Partitions = 4;
    private const int Victim = 1;
    private const int Commits = 20;

    [Fact]
    public async Task CoordinatorsMove_WithoutARebalance_AndPositionsNeverGoBack()
    {
        var settings = new Dictionary<string, string> { ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.1" };
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Settings = settings });
        var topic = await Topics.CreateAsync(cluster[0].KafkaBootstrap, Partitions);
        await AwaitBrokersAsync(cluster);
        await using var classic = new Pair(cluster, await NameOfVictimAsync(cluster), topic, config =>
            (config.PartitionAssignmentStrategy, config.SessionTimeoutMs) = (PartitionAssignmentStrategy.CooperativeSticky, 30_000));
        await using var modern = new Pair(cluster, await NameOfVictimAsync(cluster), topic, GroupConsumer.SpeakConsumerProtocol);
        Pair[] pairs = [classic, modern];
        await Eventually.IsTrueAsync(() => pairs.All(pair => pair.IsShared), () => string.Join("; ", pairs.AsEnumerable()));
        var rebalances = pairs.Select(pair => pair.Rebalances).ToArray();
        await GoOnAsync(cluster, topic, pairs, 1);

        cluster[Victim].Kill();
        await GoOnAsync(cluster, topic, pairs, 2);
        Assert.Equal(rebalances, pairs.Select(pair => pair.Rebalances));
        await cluster.StartAsync(Victim);
        await AwaitBrokersAsync(cluster);
        await GoOnAsync(cluster, topic, pairs, 3);

        output.WriteLine(string.Join("; ", pairs.AsEnumerable()));
        Assert.Equal(rebalances, pairs.Select(pair => pair.Rebalances));
        Assert.All(pairs, pair => Assert.True(pair.IsShared, $"{pair}"));
        Assert.All(pairs, pair => Assert.Null(pair.Wrong));
        Assert.All(pairs, pair => Assert.Empty(pair.Refusals));
    }

    /// <summary>All records are read, commits are acknowledged, and positions are told.</summary>
    private static async Task GoOnAsync(ClusterProcess cluster, string topic, Pair[] pairs, int round)
    {
        var before = pairs.Select(pair => (pair.Acknowledged, pair.Answers)).ToArray();
        using var producer = Topics.Producer(cluster[0].KafkaBootstrap);
        for (var index = 0; index < 12; index++)
            await producer.ProduceAsync(new TopicPartition(topic, index % Partitions), new() { Value = Encoding.UTF8.GetBytes($"{round}-{index}") });
        await Eventually.IsTrueAsync(
            () => pairs.Zip(before).All(pair => pair.First.Read == 12 * round && pair.First.Acknowledged >= pair.Second.Acknowledged + Commits && pair.First.Answers > pair.Second.Answers),
            () => $"round {round}: {string.Join("; ", pairs.AsEnumerable())}",
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

    /// <summary>A group of two: one reads and commits by interval, one commits all the time; and who watches its positions.</summary>
    private sealed class Pair : IAsyncDisposable
    {
        private readonly GroupConsumer _reader;
        private readonly SteadyCommitter _committer;
        private readonly PositionWatch _watch;

        public Pair(ClusterProcess cluster, string group, string topic, Action<ConsumerConfig> change)
        {
            _reader = new GroupConsumer(cluster.KafkaBootstrap, group, topic, change);
            _committer = new SteadyCommitter(cluster.KafkaBootstrap, group, topic, change);
            _watch = new PositionWatch(cluster[0].KafkaBootstrap, group, topic, _committer);
        }

        public bool IsShared => _reader.Assigned.Count == Partitions / 2 && _committer.Assigned.Count == Partitions / 2;

        public (int, int) Rebalances => (_reader.Rebalances, _committer.Rebalances);

        public int Read => _reader.Read.Concat(_committer.Read).Distinct().Count();

        public long Acknowledged => _committer.Acknowledged;

        public int Answers => _watch.Answers;

        public string? Wrong => _watch.Wrong;

        public IReadOnlyCollection<ErrorCode> Refusals => _committer.Refusals;

        public override string ToString() =>
            $"{_reader.Assigned.Count} and {_committer.Assigned.Count} partitions, {Read} read, {Acknowledged} commits acknowledged, {Answers} answers, {Refusals.Count} refused, wrong: {Wrong ?? "nothing"}";

        public async ValueTask DisposeAsync()
        {
            await _watch.DisposeAsync();
            _committer.Dispose();
            _reader.Dispose();
        }
    }
}

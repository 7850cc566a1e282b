using System.Threading.Channels;
using Confluent.Kafka;
using Granary.Abstractions.Cluster;
using Granary.Chaos.Groups;
using Granary.Support;
using Granary.Support.Histories;
using Npgsql;

namespace Granary.Chaos;

/// <summary>What three silos do that nobody torments: they do not evict one another because PostgreSQL is away, for all of them or for one, and take turns in restarting.</summary>
[Collection(ClusterUnderFaults.Name)]
public sealed class ThreeSilosTests(ThreeSilosFixture fixture, ITestOutputHelper output) : IClassFixture<ThreeSilosFixture>
{
    private const int Restarts = 3;
    private const int RollingPartitions = 6;

    /// <summary>Longer than all of the detection: three missed probes, a vote, and the votes that are held back.</summary>
    private static readonly TimeSpan s_cut = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PostgresRestarts_EndNobodysMembership()
    {
        var members = await fixture.Cluster.MembersAsync(Cancellation);
        Assert.Equal(fixture.Cluster.Count, members.Count);
        var topic = await ChaosTopic.CreateAsync(fixture.Cluster.KafkaBootstrap, 12, "restarts");
        for (var restart = 0; restart < Restarts; restart++)
        {
            await fixture.Cluster.Postgres.RestartAsync();

            // The catalog's first save goes over a connection that the restart has broken.
            _ = await ChaosTopic.CreateAsync(fixture.Cluster.KafkaBootstrap, 1, $"after-restart-{restart}");
            await ProduceEverywhereAsync(topic);
        }

        await AssertSameAsync(members);
    }

    [Fact]
    public async Task ASiloCutFromPostgres_StaysAMember()
    {
        Assert.SkipWhen(fixture.Networks is null, SiloNetworks.Missing ?? "");
        var members = await fixture.Cluster.MembersAsync(Cancellation);
        Assert.Equal(fixture.Cluster.Count, members.Count);
        var topic = await ChaosTopic.CreateAsync(fixture.Cluster.KafkaBootstrap, 12, "cut");
        await ProduceEverywhereAsync(topic);

        fixture.Networks!.CutFromPostgres(1, new NpgsqlConnectionStringBuilder(fixture.Cluster.Postgres.ConnectionString).Port);
        await Task.Delay(s_cut, Cancellation);
        await AssertSameAsync(members);
        fixture.Networks.Heal(1);

        // What it had is still there, and it again does all that it did.
        await ProduceEverywhereAsync(topic);
        await AssertSameAsync(members);
    }

    /// <summary>Three silos are stopped and started again, one after the other, under clients as they come out of the box: none may notice.</summary>
    [Fact]
    public async Task ARollingRestart_IsNoticedByNoDefaultClient()
    {
        var cluster = fixture.Cluster;
        await using var service = await ClusterClient.ConnectAsync(cluster);
        await using var idempotent = await DefaultClients.StartAsync(cluster, "idempotent", RollingPartitions, isIdempotent: true);
        await using var plain = await DefaultClients.StartAsync(cluster, "plain", RollingPartitions, isIdempotent: false);
        var openings = new PartitionOpenings(service);
        await openings.WatchAsync(idempotent.Topic.Name);
        await openings.WatchAsync(plain.Topic.Name);
        await Task.WhenAll(idempotent.GoOnAsync(), plain.GoOnAsync());
        foreach (var silo in Enumerable.Range(0, cluster.Count))
            await openings.ReadAsync(NameOf(silo));
        var before = openings.ByCause;

        for (var silo = 0; silo < cluster.Count; silo++)
        {
            await openings.ReadAsync(NameOf(silo));
            Assert.Equal(0, await cluster[silo].StopAsync());
            await Task.WhenAll(idempotent.GoOnAsync(), plain.GoOnAsync());
            await cluster.StartAsync(silo);
            await Task.WhenAll(idempotent.GoOnAsync(), plain.GoOnAsync());
        }

        foreach (var silo in Enumerable.Range(0, cluster.Count))
            await openings.ReadAsync(NameOf(silo));
        Assert.Empty(cluster.UnaskedEnds());

        // Each opening meanwhile was that of a partition that came along with its newest batches and its producers.
        var after = openings.ByCause;
        output.WriteLine($"openings before: {Tell(before)}; after: {Tell(after)}");
        Assert.Equal(before.Where(one => one.Key != HappeningCause.Moved).OrderBy(one => one.Key), after.Where(one => one.Key != HappeningCause.Moved).OrderBy(one => one.Key));
        Assert.True(after.GetValueOrDefault(HappeningCause.Moved) >= 2 * RollingPartitions, Tell(after));

        Assert.Empty(await idempotent.FinishAsync());

        // What was sent twice without a number is there twice, and may lie behind what followed it: that is what the setting says.
        Assert.DoesNotContain(await plain.FinishAsync(), anomaly => !anomaly.Contains(" lies at offsets ", StringComparison.Ordinal) && !anomaly.Contains(" lies behind ", StringComparison.Ordinal));
        output.WriteLine($"longest time that a partition acknowledged nothing: {idempotent.Progress.LongestGap.TotalMilliseconds:0} ms idempotent, {plain.Progress.LongestGap.TotalMilliseconds:0} ms plain");
    }

    /// <summary>What the harness relies on: its members come to their ends, whatever they are being told. This one is given a partition while its thread is busy, and is killed then.</summary>
    [Fact]
    public async Task AMember_KilledWhileItIsGivenAPartition_Ends()
    {
        var said = Channel.CreateUnbounded<string>();
        var isBusy = new SemaphoreSlim(0);
        using var mayGoOn = new ManualResetEventSlim();
        var topic = await ChaosTopic.CreateAsync(fixture.Cluster.KafkaBootstrap, 2, "killed");
        var group = new GroupTopic(topic with { ClientLog = line => said.Writer.TryWrite(line) }, 0, GroupProtocolKind.Consumer);
        using var history = new HistoryFile(Path.Combine(ChaosSettings.FolderOf("killed"), "history.txt"));
        var other = new GroupMember(0, group, history, (_, _) => { });
        await AwaitGivenAsync(0, 0);
        var member = new GroupMember(1, group, history, (_, _) =>
        {
            isBusy.Release();
            mayGoOn.Wait(Cancellation);
        });
        await AwaitGivenAsync(1, 0);
        await ProduceEverywhereAsync(topic);
        Assert.True(await isBusy.WaitAsync(s_patience, Cancellation));

        await other.LeaveAsync();
        await AwaitGivenAsync(1, 1);
        var ending = member.KillAsync();
        mayGoOn.Set();
        await ending.WaitAsync(s_patience, Cancellation);
        Assert.Null(other.Failure);
        Assert.Null(member.Failure);

        // Its client says so once what it is given, beside what it has, waits for the member's thread.
        async Task AwaitGivenAsync(int number, int has)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            deadline.CancelAfter(s_patience);
            while (await said.Reader.ReadAsync(deadline.Token) is var line
                && !(line.StartsWith($"member {number}: ", StringComparison.Ordinal) && line.Contains($"being added to group assignment of {has} partition", StringComparison.Ordinal)))
            {
                // It said something else.
            }
        }
    }

    /// <summary>Every partition acknowledges a record.</summary>
    private static async Task ProduceEverywhereAsync(ChaosTopic topic)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = topic.Bootstrap, EnableIdempotence = true, RetryBackoffMs = 20 })
            .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        await Task.WhenAll(Enumerable.Range(0, topic.Partitions).Select(partition =>
            producer.ProduceAsync(new TopicPartition(topic.Name, partition), new Message<Null, string> { Value = "here" }, Cancellation))).WaitAsync(s_patience, Cancellation);
    }

    /// <summary>The same processes are the members, and none has ended.</summary>
    private async Task AssertSameAsync(Dictionary<int, int> members)
    {
        Assert.Equal(members.OrderBy(member => member.Key), (await fixture.Cluster.MembersAsync(Cancellation)).OrderBy(member => member.Key));
        Assert.Empty(fixture.Cluster.UnaskedEnds());
    }

    private static string NameOf(int silo) => $"silo-{silo}";

    private static string Tell(Dictionary<string, int> openings) => string.Join(", ", openings.Select(one => $"{one.Key} {one.Value}"));
}

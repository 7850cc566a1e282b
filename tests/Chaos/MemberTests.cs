using Confluent.Kafka;
using Granary.Support;
using Npgsql;

namespace Granary.Chaos;

/// <summary>Silos do not evict one another because PostgreSQL is away, for all of them or for one.</summary>
[Collection(ClusterUnderFaults.Name)]
public sealed class MemberTests(MemberFixture fixture) : IClassFixture<MemberFixture>
{
    private const int Restarts = 4;

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
}

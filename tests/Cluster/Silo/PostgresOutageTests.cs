using System.Collections.Concurrent;
using System.Net;
using Granary.Cluster.Apis;
using Granary.Cluster.Storage;
using Granary.Gateway.Kafka.Wire;
using Granary.Support;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Silo;

/// <summary>PostgreSQL goes away below a running silo. On a server that no other class uses: it is killed.</summary>
public sealed class PostgresOutageTests(PrivatePostgres postgres) : IClassFixture<PrivatePostgres>
{
    private const int Longest = 120_000;
    private const int Clients = 4;
    private const int Committers = 8;

    private readonly ConcurrentDictionary<string, ErrorCode> _answers = new();
    private volatile bool _enough;

    [Fact(Timeout = Longest)]
    public async Task CreateTopics_WhilePostgresGoesAndComesBack_IsAnsweredRetriablyAndNothingAnsweredIsLost()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { ConnectionString = database.ConnectionString });
        Assert.Equal(HttpStatusCode.OK, await silo.ReadinessAsync());
        var creating = Enumerable.Range(0, Clients).Select(client => CreateAsync(silo, client)).ToArray();
        await Eventually.HoldsAsync("topics are created", () => Created() >= 20);

        await postgres.KillAsync();
        await Eventually.HoldsAsync("it is not ready", async () => await silo.ReadinessAsync() == HttpStatusCode.ServiceUnavailable);
        await Eventually.HoldsAsync("each client was refused once", () => _answers.Count - Created() >= Clients);
        var before = Created();
        await postgres.StartAgainAsync();
        await Eventually.HoldsAsync("it is ready again", async () => await silo.ReadinessAsync() == HttpStatusCode.OK);
        await Eventually.HoldsAsync("topics are created again", () => Created() >= before + 20);
        _enough = true;
        await Task.WhenAll(creating).WaitAsync(TestContext.Current.CancellationToken);

        Assert.All(_answers.Values.Distinct(), error => Assert.Contains(error, new[] { ErrorCode.None, ErrorCode.RequestTimedOut }));
        var there = await silo.TopicsAsync();
        Assert.Empty(Answered().Except(there.Keys));
        silo.Kill();
        await silo.RestartAsync();
        Assert.Equal(there.OrderBy(topic => topic.Key), (await silo.TopicsAsync()).OrderBy(topic => topic.Key));
    }

    /// <summary>A commit that was answered is there, and a group's position never goes back, whatever becomes of the commits that were on their way.</summary>
    [Fact(Timeout = Longest)]
    public async Task Commits_WhilePostgresGoesAndComesBack_AreNotLostOnceAnsweredAndNeverGoBack()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { ConnectionString = database.ConnectionString });
        string topic;
        await using (var client = await silo.ConnectAsync())
            topic = await client.NewTopicAsync();
        var committing = Enumerable.Range(0, Committers).Select(number => new GroupOfOne(silo, $"group-{number}", topic)).ToArray();
        var running = committing.Select(one => one.CommitAsync(() => _enough)).ToArray();
        await Eventually.HoldsAsync("all commit", () => committing.All(one => one.Acknowledged >= 20));

        for (var round = 0; round < 2; round++)
        {
            var (acknowledged, refused) = (committing.Sum(one => one.Acknowledged), committing.Sum(one => one.Refused));
            await postgres.KillAsync();
            await Eventually.HoldsAsync("commits are refused", () => committing.Sum(one => one.Refused) > refused);
            await postgres.StartAgainAsync();
            await Eventually.HoldsAsync("all commit again", () => committing.Sum(one => one.Acknowledged) >= acknowledged + (20 * Committers));
        }

        _enough = true;
        await Task.WhenAll(running).WaitAsync(TestContext.Current.CancellationToken);

        Assert.All(committing, one => Assert.Null(one.Wrong));
        silo.Kill();
        await silo.RestartAsync();
        await Task.WhenAll(committing.Select(one => one.CheckAsync()));
        Assert.All(committing, one => Assert.Null(one.Wrong));
    }

    private int Created() => _answers.Values.Count(error => error == ErrorCode.None);

    private IEnumerable<string> Answered() => _answers.Where(answer => answer.Value == ErrorCode.None).Select(answer => answer.Key);

    private async Task CreateAsync(SiloProcess silo, int client)
    {
        await using var wire = await silo.ConnectAsync();
        for (var i = 0; !_enough; i++)
        {
            var name = $"client-{client}-{i}";
            var request = new CreateTopicsRequest { TimeoutMs = 5_000, Topics = [new() { Name = name, NumPartitions = 1, ReplicationFactor = -1 }] };
            _answers[name] = (ErrorCode)(await wire.CreateTopicsAsync(7, request)).Topics.Single().ErrorCode;
        }
    }
}

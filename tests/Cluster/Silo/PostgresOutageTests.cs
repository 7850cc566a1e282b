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

using System.Net;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Edge;

/// <summary>A gateway at the edge whose cluster is not there yet, goes and comes back; and the gateway's own end.</summary>
public sealed class EdgeFaultTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task SiloKilledAndRestarted_ProducerAtTheEdgeGoesOnAndNothingIsLostOrDoubled()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        await using var edge = await EdgeProcess.StartAsync(silo.PostgresConnectionString);
        var topic = await Topics.CreateAsync(edge.KafkaBootstrap);
        using var producer = Topics.Producer(edge.KafkaBootstrap, config => config.EnableIdempotence = true);
        await ProduceAsync(producer, topic, 0, 20);

        silo.Kill();
        var during = ProduceAsync(producer, topic, 20, 20);
        await silo.RestartAsync();
        await during.WaitAsync(s_patience);
        await ProduceAsync(producer, topic, 40, 20);

        var read = Topics.ReadAll(edge.KafkaBootstrap, new TopicPartition(topic, 0)).Select(record => (int)record.Message.Value![0]);
        Assert.Equal(Enumerable.Range(0, 60), read);
        Assert.Equal(0, await edge.StopAsync());
    }

    [Fact]
    public async Task WithoutACluster_ItLivesAndIsNotReadyAndStopsWhenAsked()
    {
        await using var edge = EdgeProcess.Launch("Host=127.0.0.1;Port=1;Username=nobody");
        await UntilAsync(edge, "/health/live", HttpStatusCode.OK);

        var (exitCode, output) = await edge.AskHealthAsync();

        Assert.Equal(1, exitCode);
        Assert.StartsWith("not ready: ", output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
        Assert.Equal(0, await edge.StopAsync());
    }

    [Fact]
    public async Task StartedBeforeItsCluster_IsReadyWhenThatIs()
    {
        var folder = TestFolders.New();
        try
        {
            await using var edge = EdgeProcess.Launch(Granary.Silo.Postgres.EmbeddedPostgres.ConnectionStringOf(folder));
            await UntilAsync(edge, "/health/live", HttpStatusCode.OK);
            await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { DataFolder = folder });

            await edge.ReadyAsync();

            await UntilAsync(edge, "/health/ready", HttpStatusCode.OK);
        }
        finally
        {
            TestFolders.Delete(folder);
        }
    }

    [Theory]
    [InlineData("is not set")]
    [InlineData("nonsense", "--ConnectionStrings:Granary=Host=x;Nonsense=1")]
    [InlineData("Port", "--ConnectionStrings:Granary=Host=x", "--Granary:Kafka:Port=many")]
    [InlineData("Port", "--ConnectionStrings:Granary=Host=x", "--Granary:Kafka:Port=70000")]
    [InlineData("Granary__Kafka__Prot is '9093': there is no such setting.", "--ConnectionStrings:Granary=Host=x", "--Granary:Kafka:Prot=9093")]
    public async Task WrongSettings_EndItWithTwo(string told, params string[] arguments)
    {
        var (exitCode, output) = await EdgeProcess.RunToEndAsync(arguments);

        Assert.Equal(2, exitCode);
        Assert.Contains(told, output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Health_OfAProcessThatIsNotThere_IsOne()
    {
        var (exitCode, output) = await EdgeProcess.RunToEndAsync("health", "--Granary:HttpUrl=http://0.0.0.0:1");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("not ready: ", output, StringComparison.Ordinal);
    }

    private static async Task ProduceAsync(IProducer<byte[]?, byte[]?> producer, string topic, int first, int count)
    {
        for (var index = first; index < first + count; index++)
            await producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = [(byte)index] });
    }

    private static async Task UntilAsync(EdgeProcess edge, string path, HttpStatusCode wanted)
    {
        using var http = new HttpClient();
        using var deadline = new CancellationTokenSource(s_patience);
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(edge.HttpUrl + path, deadline.Token);
                if (response.StatusCode == wanted)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            Assert.False(deadline.IsCancellationRequested, $"{path} is not {wanted} within {s_patience}:\n{edge.Output}");
            await Task.Delay(50, CancellationToken.None);
        }
    }
}

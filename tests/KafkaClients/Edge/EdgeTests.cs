using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.KafkaClients.Groups;
using Granary.KafkaClients.Http;
using Granary.Support;

namespace Granary.KafkaClients.Edge;

/// <summary>Kafka's clients at a gateway that is an Orleans client in a process of its own.</summary>
public sealed class EdgeTests(EdgeFixture cluster) : IClassFixture<EdgeFixture>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Zstd)]
    public async Task WhatIsProducedAtTheEdge_IsFetchedThere(CompressionType codec)
    {
        var topic = await Topics.CreateAsync(cluster.Edge.KafkaBootstrap, partitions: 3);
        using var producer = Topics.Producer(cluster.Edge.KafkaBootstrap, config =>
        {
            config.EnableIdempotence = true;
            config.CompressionType = codec;
            config.LingerMs = 5;
        });
        var sent = Enumerable.Range(0, 600).Select(index => $"{index} {new string('x', index % 300)}").ToArray();

        await Task.WhenAll(sent.Select((value, index) => producer.ProduceAsync(
            new TopicPartition(topic, index % 3),
            new Message<byte[]?, byte[]?> { Value = Encoding.UTF8.GetBytes(value) })));

        for (var partition = 0; partition < 3; partition++)
        {
            var read = Topics.ReadAll(cluster.Edge.KafkaBootstrap, new TopicPartition(topic, partition)).Select(record => Encoding.UTF8.GetString(record.Message.Value!));
            Assert.Equal(sent.Where((_, index) => index % 3 == partition), read);
        }
    }

    [Fact]
    public async Task ALargeBatch_PassesThroughTheEdge()
    {
        var topic = await Topics.CreateAsync(cluster.Edge.KafkaBootstrap);
        using var producer = Topics.Producer(cluster.Edge.KafkaBootstrap);
        var value = new byte[1_000_000];
        new Random(1).NextBytes(value);

        await producer.ProduceAsync(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = value });

        Assert.Equal(value, Assert.Single(Topics.ReadAll(cluster.Edge.KafkaBootstrap, new TopicPartition(topic, 0))).Message.Value);
    }

    [Fact]
    public async Task Metadata_NamesTheEdgeAloneAsBrokerAndLeader()
    {
        var topic = await Topics.CreateAsync(cluster.Edge.KafkaBootstrap, partitions: 4);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster.Edge.KafkaBootstrap }).Build();

        var metadata = admin.GetMetadata(topic, s_patience);

        var broker = Assert.Single(metadata.Brokers);
        Assert.Equal(cluster.Edge.KafkaBootstrap, $"{broker.Host}:{broker.Port}");
        var partitions = Assert.Single(metadata.Topics).Partitions;
        Assert.Equal(4, partitions.Count);
        Assert.All(partitions, partition => Assert.Equal(broker.BrokerId, partition.Leader));
    }

    [Fact]
    public async Task Kcat_ProducesAndConsumesAtTheEdge()
    {
        var kcat = ChildProgram.Find("kcat");
        Assert.SkipWhen(kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await Topics.CreateAsync(cluster.Edge.KafkaBootstrap);

        await ChildProgram.RunAsync(kcat, ["-b", cluster.Edge.KafkaBootstrap, "-P", "-t", topic], "one\ntwo\n");
        var read = await ChildProgram.RunAsync(kcat, ["-b", cluster.Edge.KafkaBootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-q"]);

        Assert.Equal("one\ntwo\n", read);
    }

    [Fact]
    public async Task Metrics_AreTold()
    {
        using var http = new HttpClient();

        var metrics = await http.GetStringAsync($"{cluster.Edge.HttpUrl}/metrics");

        Assert.Contains("kafka_connection_count", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http_RecordsGroupsATailAndTheConsole_AreServedAtTheEdge()
    {
        using var api = new HttpApi(cluster.Edge.HttpUrl);
        var (topic, group) = (await api.CreateTopicAsync(2), $"g-{Guid.NewGuid():N}");
        await using var tail = api.StreamAsync($"/topics/{topic}/stream?from=earliest").GetAsyncEnumerator();
        var first = tail.MoveNextAsync();
        Assert.Equal(HttpStatusCode.Created, (await api.PostAsync($"/topics/{topic}/partitions/1/records", """{"key":"a","value":{"n":1}}""", ("Idempotency-Key", topic))).Status);
        Assert.True(await first);
        Assert.Equal(1, tail.Current.Data.GetProperty("value").GetProperty("json").GetProperty("n").GetInt32());
        Assert.Equal(1, (await api.GetAsync($"/topics/{topic}/partitions/1/records?waitMs=10000")).Body.GetProperty("records").GetArrayLength());
        using (var consumer = Topics.Consumer(cluster.Edge.KafkaBootstrap, config => config.GroupId = group))
            consumer.Commit([new TopicPartitionOffset(topic, 1, 0)]);
        Assert.Equal(1, (await api.GetAsync($"/groups/{group}")).Body.GetProperty("offsets")[0].GetProperty("lag").GetInt32());
        using var http = new HttpClient();
        using var page = await http.GetAsync($"{cluster.Edge.HttpUrl}/");
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
    }

    [Fact]
    public async Task Status_ShowsWhichSiloLeadsWhat()
    {
        var topic = await Topics.CreateAsync(cluster.Edge.KafkaBootstrap, partitions: 2);
        using var producer = Topics.Producer(cluster.Edge.KafkaBootstrap);
        for (var partition = 0; partition < 2; partition++)
            await producer.ProduceAsync(new TopicPartition(topic, partition), new Message<byte[]?, byte[]?> { Value = [1] });

        var (exitCode, output) = await EdgeProcess.RunToEndAsync("status", $"--Granary:HttpUrl={cluster.Edge.HttpUrl}");

        Assert.Equal(0, exitCode);
        Assert.Matches("1 +silo-1 +active", output);
        Assert.Matches($"{topic}: 0@[0-9]+ 1@[0-9]+", output);
    }

    [Fact]
    public async Task Health_OfAReadyGateway_IsZero()
    {
        var (exitCode, output) = await cluster.Edge.AskHealthAsync();

        Assert.Equal((0, "ready\n"), (exitCode, output));
    }

    [Fact]
    public async Task Stop_WhileRecordsArePosted_ServesWhatItHasTaken()
    {
        await using var edge = await EdgeProcess.StartAsync(cluster.PostgresConnectionString);
        using var api = new HttpApi(cluster.Edge.HttpUrl);
        var path = $"{edge.HttpUrl}/topics/{await api.CreateTopicAsync()}/records";
        using var http = new HttpClient();
        var answers = new ConcurrentQueue<HttpStatusCode>();
        var posters = Enumerable.Range(0, 8).Select(_ => PostUntilItIsGoneAsync()).ToArray();
        await Eventually.IsTrueAsync(() => Task.FromResult(answers.Count > 100), () => $"{answers.Count} posts were answered:\n{edge.Output}");

        Assert.Equal(0, await edge.StopAsync());
        await Task.WhenAll(posters);

        Assert.Equal([HttpStatusCode.Created], answers.Distinct());
        Assert.DoesNotContain("An HTTP request failed", edge.Output, StringComparison.Ordinal);

        async Task PostUntilItIsGoneAsync()
        {
            try
            {
                while (true)
                {
                    using var record = new StringContent("1", Encoding.UTF8, "text/plain");
                    using var answer = await http.PostAsync(path, record);
                    answers.Enqueue(answer.StatusCode);
                }
            }
            catch (HttpRequestException)
            {
                // It takes no more requests.
            }
        }
    }
}

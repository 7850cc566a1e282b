using System.Net;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.KafkaClients.Groups;
using Granary.Support;

namespace Granary.KafkaClients.Live;

/// <summary>The live stream of a silo and of the edge, while silos die, join and leave and a group rebalances.</summary>
public sealed class LiveStreamTests(ITestOutputHelper output)
{
    private const int Partitions = 6;

    [Fact]
    public async Task Stream_TellsDeathJoinDrainAndRebalance()
    {
        var settings = new Dictionary<string, string> { ["Granary__Live__MaxSubscribers"] = "3", ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00", ["Granary__ProbeInterval"] = "00:00:05" };
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Settings = settings });
        await using var edge = await EdgeProcess.StartAsync(cluster.Postgres.ConnectionString, ClusterProcess.ClusterId);
        var topic = await Topics.CreateAsync(cluster[0].KafkaBootstrap, Partitions);
        await ProduceAsync(edge.KafkaBootstrap, topic);

        await using var ofSilo = await EventStream.OpenAsync(cluster[0].HttpUrl);
        await using var ofEdge = await EventStream.OpenAsync(edge.HttpUrl);
        EventStream[] both = [ofSilo, ofEdge];
        foreach (var stream in both)
        {
            var first = stream.Events[0];
            Assert.Equal("snapshot", first.Name);
            Assert.Equal(3, first.Data.GetProperty("silos").EnumerateArray().Count(silo => silo.GetProperty("state").GetString() == "active"));
            Assert.Equal(Partitions, PartitionsOf(first, topic).Count(one => one.GetProperty("state").GetString() == "open"));
            Assert.Contains(first.Data.GetProperty("timeline").EnumerateArray(), entry => entry.GetProperty("kind").GetString() == "first-append");
        }

        await TellsRatesAsync(cluster, topic, ofEdge);
        await TellsDeathAsync(cluster, edge, topic, both);
        await ComesBackAsync(cluster, ofSilo);
        await BoundsReadersAsync(cluster);
        await TellsJoinAsync(cluster, topic, both);
        await TellsRebalanceAsync(cluster, topic, both);
        await TellsDrainAsync(cluster, edge, both);
    }

    private static async Task TellsRatesAsync(ClusterProcess cluster, string topic, EventStream stream)
    {
        await Eventually.IsTrueAsync(() => stream.Has("rates", _ => true), () => "no rates");
        await ProduceAsync(cluster[0].KafkaBootstrap, topic);
        await Eventually.IsTrueAsync(
            () => stream.Has("rates", one => one.Data.GetProperty("topics").TryGetProperty(topic, out var rate) && rate.GetProperty("recordsIn").GetInt64() > 0), () => "no records in");
        await Eventually.IsTrueAsync(() => stream.Has("rates", one => one.Data.GetProperty("successes").EnumerateArray().Sum(count => count.GetInt64()) > 0), () => "no successes");
        Assert.All(stream.Events.Where(one => one.Name == "rates"), one => Assert.Equal(10, one.Data.GetProperty("errors").GetArrayLength()));
    }

    private async Task TellsDeathAsync(ClusterProcess cluster, EdgeProcess edge, string topic, EventStream[] streams)
    {
        var lost = PartitionsOf(streams[0].Events[0], topic).Where(one => one.GetProperty("nodeId").GetInt32() == NodeOf(streams[0], "silo-2")).Select(one => one.GetProperty("partition").GetInt32()).ToArray();
        Assert.NotEmpty(lost);
        cluster[2].Kill();
        await ProduceAsync(edge.KafkaBootstrap, topic);
        foreach (var stream in streams)
        {
            await stream.WaitAsync("silo-dead", "silo-2");
            await Eventually.IsTrueAsync(() => stream.Tells("epoch-raised") && stream.Tells("first-append"), stream.Summary);
            foreach (var partition in lost)
            {
                bool Is(StreamEvent one, string state) => one.Text("topic") == topic && one.Data.GetProperty("partition").GetInt32() == partition && one.Text("state") == state;
                await Eventually.IsTrueAsync(() => stream.Has("partition", one => Is(one, "away")) && stream.Has("partition", one => Is(one, "open") && one.Data.GetProperty("gapMs").ValueKind == JsonValueKind.Number), stream.Summary);
            }

            Assert.True(stream.Has("silo", one => one.Text("name") == "silo-2" && one.Text("state") == "dead"));
            var death = Assert.Single(stream.Events, one => one.Name == "timeline" && one.Text("kind") == "silo-dead").Data;
            var (heardAt, deadAt) = (death.GetProperty("lastHeardAt").GetDateTimeOffset(), death.GetProperty("at").GetDateTimeOffset());
            Assert.True(heardAt <= deadAt && heardAt > deadAt - TimeSpan.FromSeconds(30), death.ToString());
            output.WriteLine(stream.Summary());
        }
    }

    private static async Task ComesBackAsync(ClusterProcess cluster, EventStream stream)
    {
        var last = stream.Events[^1].Id;
        await using var again = await EventStream.OpenAsync(cluster[0].HttpUrl, last);
        Assert.NotEqual("snapshot", again.Events[0].Name);
        Assert.Equal(Number(last) + 1, Number(again.Events[0].Id));
        await using var stranger = await EventStream.OpenAsync(cluster[0].HttpUrl, "00000000-17");
        Assert.Equal("snapshot", stranger.Events[0].Name);
    }

    private static async Task BoundsReadersAsync(ClusterProcess cluster)
    {
        // One is open for the whole test; the two of the former step may take a moment to be seen gone.
        using var http = new HttpClient();
        var opened = new List<EventStream>();
        try
        {
            for (var count = 0; count < 2; count++)
                opened.Add(await OpenWhenFreeAsync(cluster[0].HttpUrl));
            using var response = await http.GetAsync($"{cluster[0].HttpUrl}/cluster/events", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        }
        finally
        {
            foreach (var stream in opened)
                await stream.DisposeAsync();
        }
    }

    private static async Task<EventStream> OpenWhenFreeAsync(string url)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            if (await EventStream.TryOpenAsync(url) is { } stream)
                return stream;
            deadline.Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task TellsJoinAsync(ClusterProcess cluster, string topic, EventStream[] streams)
    {
        await cluster.StartAsync(2);
        foreach (var stream in streams)
        {
            await stream.WaitAsync("silo-joined", "silo-2");
            await stream.WaitAsync("partition-moved", "silo-2");
            await Eventually.IsTrueAsync(() => stream.Has("partition", one => one.Text("topic") == topic && one.Text("state") == "moving"), stream.Summary);
        }
    }

    private static async Task TellsRebalanceAsync(ClusterProcess cluster, string topic, EventStream[] streams)
    {
        var group = $"g-{Guid.NewGuid():N}";
        using var consumer = new GroupConsumer(cluster[0].KafkaBootstrap, group, topic);
        foreach (var stream in streams)
        {
            await Eventually.IsTrueAsync(() => stream.Has("group", one => one.Text("groupId") == group && one.Text("state") == "Stable"), stream.Summary);
            Assert.True(stream.Has("timeline", one => one.Text("kind") == "rebalance" && one.Text("groupId") == group && one.Text("text")!.EndsWith(" joined.", StringComparison.Ordinal)));
        }
    }

    private static async Task TellsDrainAsync(ClusterProcess cluster, EdgeProcess edge, EventStream[] streams)
    {
        using var http = new HttpClient();
        await RefusesAsync(http, edge, "nobody", HttpStatusCode.NotFound);

        // Of two who ask, one is told that it is under way.
        var asked = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => http.PostAsync($"{edge.HttpUrl}/cluster/silos/silo-1/drain", null)));
        Assert.Equal([HttpStatusCode.Accepted, HttpStatusCode.Conflict], asked.Select(one => one.StatusCode).Order());
        Assert.Contains("hands its partitions over already", await asked.Single(one => one.StatusCode == HttpStatusCode.Conflict).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await cluster[1].EndedAsync());
        foreach (var stream in streams)
        {
            await stream.WaitAsync("silo-draining", "silo-1");
            await stream.WaitAsync("silo-left", "silo-1");
            Assert.False(stream.Tells("silo-dead", "silo-1"), stream.Summary());
        }

        using var second = await http.PostAsync($"{cluster[0].HttpUrl}/cluster/silos/silo-0/drain", null);
        Assert.Equal(HttpStatusCode.Accepted, second.StatusCode);
        Assert.Equal(0, await cluster[0].EndedAsync());
        await RefusesAsync(http, cluster[2].HttpUrl, "silo-2", HttpStatusCode.Conflict);
        using var forced = await http.PostAsync($"{cluster[2].HttpUrl}/cluster/silos/silo-2/drain?force=true", null);
        Assert.Equal(HttpStatusCode.Accepted, forced.StatusCode);
        Assert.Equal(0, await cluster[2].EndedAsync());
    }

    private static Task RefusesAsync(HttpClient http, EdgeProcess edge, string silo, HttpStatusCode status) => RefusesAsync(http, edge.HttpUrl, silo, status);

    private static async Task RefusesAsync(HttpClient http, string url, string silo, HttpStatusCode status)
    {
        using var response = await http.PostAsync($"{url}/cluster/silos/{silo}/drain", null);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Contains(silo, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static async Task ProduceAsync(string bootstrap, string topic)
    {
        using var producer = Topics.Producer(bootstrap);
        for (var partition = 0; partition < Partitions; partition++)
            await producer.ProduceAsync(new TopicPartition(topic, partition), new() { Value = Encoding.UTF8.GetBytes("x") });
    }

    private static IEnumerable<JsonElement> PartitionsOf(StreamEvent snapshot, string topic) =>
        snapshot.Data.GetProperty("partitions").EnumerateArray().Where(one => one.GetProperty("topic").GetString() == topic);

    private static int NodeOf(EventStream stream, string silo) =>
        stream.Events[0].Data.GetProperty("silos").EnumerateArray().Single(one => one.GetProperty("name").GetString() == silo).GetProperty("nodeId").GetInt32();

    private static long Number(string id) => long.Parse(id[(id.IndexOf('-', StringComparison.Ordinal) + 1)..], System.Globalization.CultureInfo.InvariantCulture);
}

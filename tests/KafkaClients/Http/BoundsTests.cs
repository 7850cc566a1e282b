using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Granary.KafkaClients.Groups;
using Granary.Support;

namespace Granary.KafkaClients.Http;

/// <summary>A silo of its own with bounds that a test can reach, and one that may log that a tail was given up.</summary>
public sealed class TightSilo : IAsyncLifetime
{
    private SiloProcess? _silo;

    public string HttpUrl => _silo!.HttpUrl;

    public async ValueTask InitializeAsync() => _silo = await SiloProcess.StartAsync(new SiloProcessOptions
    {
        Settings = new Dictionary<string, string>
        {
            ["Granary__Http__MaxStreams"] = "2",
            ["Granary__Http__MaxBytesInFlight"] = "1048576",
            ["Granary__Http__MaxStreamPartitions"] = "2",
        },
    });

    public ValueTask DisposeAsync() => _silo?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>What is answered at the bounds of the HTTP API, and of topics that go away.</summary>
public sealed class BoundsTests(TightSilo silo) : IClassFixture<TightSilo>, IDisposable
{
    private readonly HttpApi _api = new(silo.HttpUrl);

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task Streams_MoreThanThereMayBe_AreRefused_UntilOneEnds()
    {
        var topic = await NewTopicAsync(1);
        await using (await OpenAsync($"/topics/{topic}/stream?from=earliest"))
        await using (await OpenAsync($"/topics/{topic}/stream?from=earliest"))
        {
            var (status, problem) = await _api.GetAsync($"/topics/{topic}/stream");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, 2), (status, problem.GetProperty("limit").GetInt32()));
        }

        await using (await OpenAsync($"/topics/{topic}/stream?from=earliest"))
        await using (await OpenAsync($"/topics/{topic}/stream?from=earliest"))
        {
            // Their places were given back.
        }
    }

    [Fact]
    public async Task Bodies_MoreThanAllMayHoldTogether_AreRefused_UntilOthersAreDone()
    {
        var topic = await NewTopicAsync(1);
        var url = new Uri(silo.HttpUrl);
        var body = $$"""{"value":"{{new string('x', 300_000)}}"}""";
        using (var slow = new TcpClient())
        {
            await slow.ConnectAsync(url.Host, url.Port);
            await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /topics/{topic}/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 900000\r\n\r\n"));
            using var answer = new StreamReader(slow.GetStream(), Encoding.ASCII);
            // It is asked to go on when its body is about to be read: its place is taken by then.
            Assert.Equal("HTTP/1.1 100 Continue", await answer.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _api.PostAsync($"/topics/{topic}/records", body)).Status);

            using var http = new HttpClient();
            using var fetch = await http.GetAsync($"{silo.HttpUrl}/topics/{topic}/partitions/0/records");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (fetch.StatusCode, fetch.Headers.GetValues("Retry-After").Single()));
            Assert.Equal(HttpStatusCode.OK, (await _api.GetAsync($"/topics/{topic}/partitions/0/records?maxBytes=1000")).Status);
        }

        await Eventually.IsTrueAsync(async () => (await _api.PostAsync($"/topics/{topic}/records", body)).Status == HttpStatusCode.Created, () => "what was held is not given back");
    }

    [Fact]
    public async Task Stream_OfMorePartitionsThanOneMayHave_IsToBeOfOneOfThem()
    {
        var topic = await NewTopicAsync(3);

        var (status, problem) = await _api.GetAsync($"/topics/{topic}/stream");

        Assert.Equal((HttpStatusCode.BadRequest, "partition", 2), (status, problem.GetProperty("field").GetString(), problem.GetProperty("limit").GetInt32()));
        await using var tail = await OpenAsync($"/topics/{topic}/stream?from=earliest&partition=2");
    }

    [Fact]
    public async Task Topic_ThatIsDeletedUnderATail_EndsItWithAProblem_AndItsIdsAreNotTheNextOnes()
    {
        var topic = await NewTopicAsync(1);
        await using var tail = await OpenAsync($"/topics/{topic}/stream?from=earliest");
        var id = tail.Current.Id;

        await _api.SendAsync(HttpMethod.Delete, $"/topics/{topic}", null);

        Assert.True(await tail.MoveNextAsync());
        Assert.Equal(("error", "UNKNOWN_TOPIC_OR_PARTITION"), (tail.Current.Event, tail.Current.Data.GetProperty("kafkaError").GetString()));
        Assert.False(await tail.MoveNextAsync());
        Assert.Equal(HttpStatusCode.Created, (await _api.PostAsync("/topics", $$"""{"name":"{{topic}}"}""")).Status);
        var (status, problem) = await _api.SendAsync(HttpMethod.Get, $"/topics/{topic}/stream", null, ("Last-Event-ID", id));
        Assert.Equal((HttpStatusCode.NotFound, "UNKNOWN_TOPIC_ID"), (status, problem.GetProperty("kafkaError").GetString()));
    }

    /// <summary>A topic with a record in its last partition.</summary>
    private async Task<string> NewTopicAsync(int partitions)
    {
        var topic = await _api.CreateTopicAsync(partitions);
        Assert.Equal(HttpStatusCode.Created, (await _api.PostAsync($"/topics/{topic}/partitions/{partitions - 1}/records", """{"value":1}""")).Status);
        return topic;
    }

    /// <summary>A tail that has its first record. The silo sees a little later than we that one has ended: until then there may be no place.</summary>
    private async Task<IAsyncEnumerator<(string Id, string Event, JsonElement Data)>> OpenAsync(string path)
    {
        IAsyncEnumerator<(string Id, string Event, JsonElement Data)>? opened = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                var tail = _api.StreamAsync(path).GetAsyncEnumerator();
                try
                {
                    Assert.True(await tail.MoveNextAsync());
                    opened = tail;
                    return true;
                }
                catch (HttpRequestException refused) when (refused.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    await tail.DisposeAsync();
                    return false;
                }
            },
            () => "there is no place for a tail");
        return opened!;
    }
}

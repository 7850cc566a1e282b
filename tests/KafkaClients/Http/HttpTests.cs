using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Http;

/// <summary>The HTTP API of a real silo, and what it shares with a Kafka client.</summary>
public sealed class HttpTests(BrokerFixture broker) : IDisposable
{
    private readonly HttpApi _api = new(broker.HttpUrl);

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task Topic_FromItsCreationToItsEnd()
    {
        var name = $"h-{Guid.NewGuid():N}";
        var (created, topic) = await _api.PostAsync("/topics", $$$"""{"name":"{{{name}}}","partitionCount":2,"config":{"retention.ms":3600000}}""");
        Assert.Equal((HttpStatusCode.Created, 2), (created, topic.GetProperty("partitionCount").GetInt32()));
        Assert.Equal(HttpStatusCode.Conflict, (await _api.PostAsync("/topics", $$"""{"name":"{{name}}"}""")).Status);
        Assert.Contains(name, (await _api.GetAsync($"/topics?prefix={name}")).Body.GetProperty("topics").EnumerateArray().Select(one => one.GetProperty("name").GetString()));

        Assert.Equal(HttpStatusCode.NoContent, (await SendJsonAsync(HttpMethod.Patch, $"/topics/{name}/config", """{"retention.ms":null,"segment.bytes":1048576}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendJsonAsync(HttpMethod.Patch, $"/topics/{name}", """{"partitionCount":3}""")).Status);
        var described = (await _api.GetAsync($"/topics/{name}")).Body;
        Assert.Equal(3, described.GetProperty("partitions").GetArrayLength());
        var configs = described.GetProperty("config").EnumerateArray().ToDictionary(one => one.GetProperty("name").GetString()!, one => (one.GetProperty("value").GetString(), one.GetProperty("source").GetString()));
        Assert.Equal(("604800000", "default"), configs["retention.ms"]);
        Assert.Equal(("1048576", "topic"), configs["segment.bytes"]);
        Assert.Equal(HttpStatusCode.OK, (await _api.GetAsync($"/topics/{name}/partitions/2")).Status);

        Assert.Equal(HttpStatusCode.NoContent, (await _api.SendAsync(HttpMethod.Delete, $"/topics/{name}", null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync($"/topics/{name}")).Status);
    }

    [Fact]
    public async Task Records_OfEachKind_ComeBackAsTheyWere_AndAKafkaClientReadsThem()
    {
        var topic = await _api.CreateTopicAsync();
        var (status, body) = await _api.PostAsync($"/topics/{topic}/records", """
            {"records":[
              {"key":"ada","value":{"n":12345678901234567890,"s":"ä"},"headers":[{"name":"h","value":"v"}],"timestamp":"2026-01-02T03:04:05.678Z"},
              {"value":"plain"},{"value":null},{"key":{"base64":"AAEC"},"value":5}]}
            """);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal([0, 1, 2, 3], body.GetProperty("records").EnumerateArray().Select(one => one.GetProperty("offset").GetInt64()));
        using var bytes = new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        Assert.Equal(HttpStatusCode.Created, (await _api.SendAsync(HttpMethod.Post, $"/topics/{topic}/partitions/0/records", bytes, ("Granary-Key", "k"), ("Granary-Header-a", "b"))).Status);

        var records = (await _api.GetAsync($"/topics/{topic}/partitions/0/records")).Body.GetProperty("records").EnumerateArray().ToArray();

        Assert.Equal("12345678901234567890", records[0].GetProperty("value").GetProperty("json").GetProperty("n").GetRawText());
        Assert.Equal("2026-01-02T03:04:05.678Z", records[0].GetProperty("timestamp").GetString());
        Assert.Equal("v", records[0].GetProperty("headers")[0].GetProperty("value").GetProperty("text").GetString());
        Assert.Equal("plain", records[1].GetProperty("value").GetProperty("text").GetString());
        Assert.Equal(JsonValueKind.Null, records[2].GetProperty("value").ValueKind);
        Assert.Equal("AAEC", records[3].GetProperty("key").GetProperty("base64").GetString());
        Assert.Equal("AQID", records[4].GetProperty("value").GetProperty("base64").GetString());
        var read = Topics.ReadAll(broker.Bootstrap, new TopicPartition(topic, 0)).ToList();
        Assert.Equal("ada", Encoding.UTF8.GetString(read[0].Message.Key!));
        Assert.Equal("""{"n":12345678901234567890,"s":"ä"}""", Encoding.UTF8.GetString(read[0].Message.Value!));
        Assert.Equal("b", Encoding.UTF8.GetString(read[4].Message.Headers.GetLastBytes("a")));
    }

    [Fact]
    public async Task ValuesOfKafkaClients_HoweverOdd_AreShown()
    {
        var topic = await _api.CreateTopicAsync();
        string[] odd = ["""{"a":"\ud800"}""", "{\"two\":\n1}", new string('[', 40) + new string(']', 40), "[1,", "{\u0000}"];
        using (var producer = Topics.Producer(broker.Bootstrap))
        {
            foreach (var value in odd)
                await producer.ProduceAsync(topic, new() { Value = Encoding.UTF8.GetBytes(value) });
        }

        var records = (await _api.GetAsync($"/topics/{topic}/partitions/0/records")).Body.GetProperty("records");
        Assert.Equal(["json", "json", "text", "text", "base64"], records.EnumerateArray().Select(one => one.GetProperty("value").EnumerateObject().Single().Name));
        var seen = 0;
        await foreach (var one in _api.StreamAsync($"/topics/{topic}/stream?from=earliest"))
        {
            Assert.Equal(seen, one.Data.GetProperty("offset").GetInt32());
            if (++seen == odd.Length)
                break;
        }
    }

    [Fact]
    public async Task TenThousandRecords_InOneRequest()
    {
        var topic = await _api.CreateTopicAsync(3);
        var all = string.Join(',', Enumerable.Range(0, 10_000).Select(number => $$"""{"key":"k{{number}}","value":{{number}}}"""));
        var (status, body) = await _api.PostAsync($"/topics/{topic}/records", $$"""{"records":[{{all}}] }""");
        Assert.Equal((HttpStatusCode.Created, 10_000), (status, body.GetProperty("records").GetArrayLength()));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await _api.PostAsync($"/topics/{topic}/records", $$"""{"records":[{{all}},{"value":1}] }""")).Status);
        var page = (await _api.GetAsync($"/topics/{topic}/partitions/1/records?limit=10&offset=5")).Body;
        Assert.Equal((10, 15), (page.GetProperty("records").GetArrayLength(), page.GetProperty("nextOffset").GetInt32()));
    }

    [Fact]
    public async Task LongPoll_AnswersWhenARecordComes()
    {
        var topic = await _api.CreateTopicAsync();
        var waiting = _api.GetAsync($"/topics/{topic}/partitions/0/records?from=latest&waitMs=30000");
        await _api.PostAsync($"/topics/{topic}/records", """{"value":"now"}""");
        Assert.Equal("now", (await waiting).Body.GetProperty("records")[0].GetProperty("value").GetProperty("text").GetString());
    }

    [Fact]
    public async Task Conditional_OnlyOneOfTwoWritersWins()
    {
        var topic = await _api.CreateTopicAsync();
        var path = $"/topics/{topic}/partitions/0/records";
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => _api.PostAsync(path, $$"""{"value":{{writer}}}""", ("If-Match", "\"0\""))));
        Assert.Equal(1, answers.Count(one => one.Status == HttpStatusCode.Created));
        Assert.All(answers.Where(one => one.Status != HttpStatusCode.Created), one => Assert.Equal((HttpStatusCode.PreconditionFailed, 1), (one.Status, one.Body.GetProperty("endOffset").GetInt32())));
    }

    [Fact]
    public async Task IdempotencyKey_AppendsOnce_AndForOneRequestOnly()
    {
        var topic = await _api.CreateTopicAsync(3);
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await _api.PostAsync($"/topics/{topic}/records", """{"records":[{"value":1},{"key":"a","value":2}]}""", key);
        var again = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _api.PostAsync($"/topics/{topic}/records", """{"records":[{"value":1},{"key":"a","value":2}]}""", key)));
        Assert.All(again, one => Assert.Equal(first.Body.GetRawText(), one.Body.GetRawText()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _api.PostAsync($"/topics/{topic}/records", """{"value":3}""", key)).Status);
        var sum = (await _api.GetAsync($"/topics/{topic}")).Body.GetProperty("partitions").EnumerateArray().Sum(one => one.GetProperty("highWatermark").GetInt32());
        Assert.Equal(2, sum);
    }

    [Fact]
    public async Task IdempotencyKey_HoldsOverARestart_WhateverBecameOfTheTopic()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        using var api = new HttpApi(silo.HttpUrl);
        var topic = await api.CreateTopicAsync();
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await api.PostAsync($"/topics/{topic}/records", """{"value":1}""", key);
        await api.SendAsync(HttpMethod.Patch, $"/topics/{topic}", new StringContent("""{"partitionCount":5}""", Encoding.UTF8, "application/json"));
        silo.Kill();
        await silo.RestartAsync();
        Assert.Equal(first.Body.GetRawText(), (await api.PostAsync($"/topics/{topic}/records", """{"value":1}""", key)).Body.GetRawText());
    }

    [Fact]
    public async Task IdempotencyKey_WhoseFirstTryFailed_PlacesRecordsAsThen_ThoughTheTopicHasGrown()
    {
        var name = $"h-{Guid.NewGuid():N}";
        await _api.PostAsync("/topics", $$$"""{"name":"{{{name}}}","partitionCount":1,"config":{"max.message.bytes":200}}""");
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var records = $$"""{"records":[{{string.Join(',', Enumerable.Range(0, 12).Select(number => $$"""{"key":"k{{number}}","value":"{{new string('x', 30)}}"}"""))}}] }""";

        // The key is claimed before the batch turns out to be too large.
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await _api.PostAsync($"/topics/{name}/records", records, key)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await SendJsonAsync(HttpMethod.Patch, $"/topics/{name}/config", """{"max.message.bytes":100000}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendJsonAsync(HttpMethod.Patch, $"/topics/{name}", """{"partitionCount":5}""")).Status);
        var second = await _api.PostAsync($"/topics/{name}/records", records, key);
        var third = await _api.PostAsync($"/topics/{name}/records", records, key);

        Assert.Equal(HttpStatusCode.Created, second.Status);
        Assert.Equal(Enumerable.Range(0, 12).Select(offset => (0, offset)), second.Body.GetProperty("records").EnumerateArray().Select(one => (one.GetProperty("partition").GetInt32(), one.GetProperty("offset").GetInt32())));
        Assert.Equal(second.Body.GetRawText(), third.Body.GetRawText());
    }

    [Fact]
    public async Task Partition_NamesWhoReadsIt_ByKafkaAndByHttp()
    {
        var topic = await _api.CreateTopicAsync();
        await _api.PostAsync($"/topics/{topic}/records", """{"value":1}""");
        using var consumer = Topics.Consumer(broker.Bootstrap, config => config.ClientId = "by-kafka");
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        Assert.NotNull(consumer.Consume(TimeSpan.FromSeconds(30)));
        await _api.GetAsync($"/topics/{topic}/partitions/0/records");

        var readers = (await _api.GetAsync($"/topics/{topic}/partitions/0")).Body.GetProperty("readers").EnumerateArray().ToDictionary(one => one.GetProperty("clientId").GetString()!);
        Assert.Equal(["by-kafka", "http 127.0.0.1"], readers.Keys.Order());
        Assert.Equal(0, readers["http 127.0.0.1"].GetProperty("offset").GetInt32());
    }

    [Fact]
    public async Task Stream_ResumesWhereItWas_AndReadsPartitionsThatCameLater()
    {
        var topic = await _api.CreateTopicAsync(2);
        for (var number = 0; number < 20; number++)
            await _api.PostAsync($"/topics/{topic}/partitions/{number % 2}/records", $$"""{"value":"{{number}}"}""");
        var (read, id) = (new List<string>(), "");
        await foreach (var one in _api.StreamAsync($"/topics/{topic}/stream?from=earliest"))
        {
            (id, read) = (one.Id, [.. read, one.Data.GetProperty("value").GetProperty("text").GetString()!]);
            if (read.Count == 7)
                break;
        }

        await SendJsonAsync(HttpMethod.Patch, $"/topics/{topic}", """{"partitionCount":3}""");
        await _api.PostAsync($"/topics/{topic}/partitions/2/records", """{"value":"20"}""");
        await foreach (var one in _api.StreamAsync($"/topics/{topic}/stream", id))
        {
            read.Add(one.Data.GetProperty("value").GetProperty("text").GetString()!);
            if (read.Count == 21)
                break;
        }

        Assert.Equal(Enumerable.Range(0, 21).Select(number => $"{number}").Order(), read.Order());
    }

    [Fact]
    public async Task Groups_AreListedAndDescribedWithTheirLag_AndDeleted()
    {
        var topic = await _api.CreateTopicAsync();
        var group = $"g-{Guid.NewGuid():N}";
        await _api.PostAsync($"/topics/{topic}/records", """{"records":[{"value":1},{"value":2},{"value":3}]}""");
        using (var consumer = Topics.Consumer(broker.Bootstrap, config => (config.GroupId, config.AutoOffsetReset) = (group, AutoOffsetReset.Earliest)))
        {
            consumer.Subscribe(topic);
            consumer.Commit(consumer.Consume(TimeSpan.FromSeconds(30)));
            var described = (await _api.GetAsync($"/groups/{group}")).Body;
            Assert.Equal(("Stable", "classic"), (described.GetProperty("state").GetString(), described.GetProperty("type").GetString()));
            Assert.Equal(topic, described.GetProperty("members")[0].GetProperty("assignment")[0].GetProperty("topic").GetString());
            Assert.Equal((1, 2), (described.GetProperty("offsets")[0].GetProperty("committedOffset").GetInt32(), described.GetProperty("offsets")[0].GetProperty("lag").GetInt32()));
            Assert.Equal((0, 3), (described.GetProperty("offsets")[0].GetProperty("logStartOffset").GetInt32(), described.GetProperty("offsets")[0].GetProperty("highWatermark").GetInt32()));
            Assert.InRange(described.GetProperty("offsets")[0].GetProperty("lagMs").GetInt64(), 1, 3_600_000);
            Assert.Equal(HttpStatusCode.Conflict, (await _api.SendAsync(HttpMethod.Delete, $"/groups/{group}", null)).Status);
            consumer.Close();
        }

        Assert.Contains(group, (await _api.GetAsync($"/groups?prefix={group}")).Body.GetProperty("groups").EnumerateArray().Select(one => one.GetProperty("groupId").GetString()));
        Assert.Equal(HttpStatusCode.NoContent, (await _api.SendAsync(HttpMethod.Delete, $"/groups/{group}", null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync($"/groups/{group}")).Status);
    }

    [Fact]
    public async Task Produce_ToATopicThatIsNotThere_MakesIt()
    {
        var topic = $"made-{Guid.NewGuid():N}";
        Assert.Equal(HttpStatusCode.Created, (await _api.PostAsync($"/topics/{topic}/records", """{"value":1}""")).Status);
        Assert.Equal(topic, (await _api.GetAsync($"/topics/{topic}")).Body.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("GET", "/topics/none", null, 404, "UNKNOWN_TOPIC_OR_PARTITION", null)]
    [InlineData("GET", "/topics/a%20b", null, 400, "INVALID_TOPIC_EXCEPTION", "topic")]
    [InlineData("POST", "/topics", """{"name":"a b"}""", 400, "INVALID_TOPIC_EXCEPTION", "name")]
    [InlineData("POST", "/topics", """{"nam":"a"}""", 400, "INVALID_REQUEST", null)]
    [InlineData("POST", "/topics", """{"name":"x","partitionCount":0}""", 400, "INVALID_PARTITIONS", null)]
    [InlineData("POST", "/topics", """{"name":"x","config":{"retention.ms":"soon"}}""", 400, "INVALID_CONFIG", null)]
    [InlineData("PUT", "/topics", "{}", 405, null, null)]
    [InlineData("GET", "/nothing/here", null, 404, null, null)]
    [InlineData("POST", "/topics/{t}/records", "{", 400, "INVALID_REQUEST", null)]
    [InlineData("POST", "/topics/{t}/records", "[]", 400, "INVALID_REQUEST", "body")]
    [InlineData("POST", "/topics/{t}/records", """{"records":[]}""", 400, "INVALID_REQUEST", "records")]
    [InlineData("POST", "/topics/{t}/records", """{"valeu":1}""", 400, "INVALID_REQUEST", "valeu")]
    [InlineData("POST", "/topics/{t}/records", """{"records":[{"value":{"base64":"!"}}]}""", 400, "INVALID_REQUEST", "records[0].value")]
    [InlineData("POST", "/topics/{t}/records", """{"value":"\ud800"}""", 400, "INVALID_REQUEST", "value")]
    [InlineData("POST", "/topics/{t}/records", """{"value":1,"partition":7}""", 404, "UNKNOWN_TOPIC_OR_PARTITION", "partition")]
    [InlineData("POST", "/topics/{t}/partitions/9/records", """{"value":1}""", 404, "UNKNOWN_TOPIC_OR_PARTITION", "partition")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?offset=99", null, 416, "OFFSET_OUT_OF_RANGE", "offset")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?offset=-1", null, 400, "INVALID_REQUEST", "offset")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?ofset=1", null, 400, "INVALID_REQUEST", "ofset")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?limit=1000000", null, 400, "INVALID_REQUEST", "limit")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?timestamp=yesterday", null, 400, "INVALID_REQUEST", "timestamp")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?offset=0&from=latest", null, 400, "INVALID_REQUEST", "from")]
    [InlineData("GET", "/topics/{t}/partitions/0/records?from=2030-01-01T00:00:00Z", null, 400, "INVALID_REQUEST", "from")]
    [InlineData("POST", "/topics/none/partitions/0/records", """{"value":1}""", 404, "UNKNOWN_TOPIC_OR_PARTITION", null)]
    [InlineData("POST", "/topics/none/records", """{"valeu":1}""", 400, "INVALID_REQUEST", "valeu")]
    [InlineData("GET", "/topics/{t}/stream?partition=5", null, 404, "UNKNOWN_TOPIC_OR_PARTITION", "partition")]
    [InlineData("GET", "/topics/{t}/stream?lastEventId=x", null, 400, "INVALID_REQUEST", "Last-Event-ID")]
    [InlineData("GET", "/groups/none", null, 404, "GROUP_ID_NOT_FOUND", null)]
    public async Task BadInput_IsAProblemThatNamesIt(string method, string path, string? body, int status, string? kafkaError, string? field)
    {
        path = path.Contains("{t}", StringComparison.Ordinal) ? path.Replace("{t}", await _api.CreateTopicAsync(), StringComparison.Ordinal) : path;
        var (answered, problem) = await _api.SendAsync(new HttpMethod(method), path, body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(status, (int)answered);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal(kafkaError, problem.TryGetProperty("kafkaError", out var name) ? name.GetString() : null);
        if (field is not null)
            Assert.Equal(field, problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task Guards_RefuseWhatAPageOfAnotherOriginSends()
    {
        var topic = await _api.CreateTopicAsync();
        Assert.Equal(HttpStatusCode.Forbidden, (await _api.PostAsync($"/topics/{topic}/records", """{"value":1}""", ("Origin", "http://elsewhere.example"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await _api.PostAsync($"/topics/{topic}/records", """{"value":1}""", ("Sec-Fetch-Site", "cross-site"))).Status);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await _api.SendAsync(HttpMethod.Get, "/topics", null, ("Host", "elsewhere.example"))).Status);
        Assert.StartsWith("HTTP/1.1 400 ", await SendLinesAsync($"POST /topics/{topic}/records HTTP/1.1", "Host: localhost", "Idempotency-Key: a", "Idempotency-Key: b", "Content-Type: text/plain", "Content-Length: 1", "", "x"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await _api.SendAsync(HttpMethod.Post, $"/topics/{topic}/records", new StringContent("<a/>", Encoding.UTF8, "application/xml"))).Status);
        Assert.StartsWith("HTTP/1.1 413 ", await SendLinesAsync($"POST /topics/{topic}/records HTTP/1.1", "Host: localhost", "Content-Type: text/plain", $"Content-Length: {17 << 20}", "", "x"), StringComparison.Ordinal);
        Assert.Equal(0, (await _api.GetAsync($"/topics/{topic}")).Body.GetProperty("sizeBytes").GetInt32());
    }

    [Fact]
    public async Task OpenApi_NamesEveryPath_AndTheReferenceNeedsNobodyElse()
    {
        var paths = (await _api.GetAsync("/openapi/v1.json")).Body.GetProperty("paths").EnumerateObject().Select(one => one.Name).ToList();
        Assert.Superset(new HashSet<string> { "/topics", "/topics/{topic}/records", "/topics/{topic}/stream", "/groups/{group}", "/cluster" }, paths.ToHashSet());
        using var http = new HttpClient();
        var page = await http.GetStringAsync($"{broker.HttpUrl}/reference/");
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    /// <summary>For what an HttpClient would put together itself: the first line of the answer.</summary>
    private async Task<string> SendLinesAsync(params string[] lines)
    {
        var url = new Uri(broker.HttpUrl);
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(url.Host, url.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines)));
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadLineAsync() ?? "";
    }

    private Task<(HttpStatusCode Status, JsonElement Body)> SendJsonAsync(HttpMethod method, string path, string json) =>
        _api.SendAsync(method, path, new StringContent(json, Encoding.UTF8, "application/json"));
}

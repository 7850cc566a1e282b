using System.Net;
using System.Text;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Http;

/// <summary>What queries and headers ask for is what is done.</summary>
public sealed class ParameterTests(BrokerFixture broker) : IDisposable
{
    private readonly HttpApi _api = new(broker.HttpUrl);

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task ValidateOnly_ChangesNothing()
    {
        var (topic, other) = (await _api.CreateTopicAsync(2), $"h-{Guid.NewGuid():N}");

        Assert.Equal(HttpStatusCode.OK, (await _api.PostAsync("/topics?validateOnly=true", $$"""{"name":"{{other}}"}""")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await _api.PostAsync("/topics?validateOnly=true", $$"""{"name":"{{topic}}"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await PatchAsync($"/topics/{topic}?validateOnly=true", """{"partitionCount":5}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync($"/topics/{topic}?validateOnly=true", """{"partitionCount":1}""")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await PatchAsync($"/topics/{topic}/config?validateOnly=true", """{"retention.ms":1000}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PatchAsync($"/topics/{topic}/config?validateOnly=true", """{"retention.ms":"soon"}""")).Status);

        Assert.Equal(HttpStatusCode.NotFound, (await _api.GetAsync($"/topics/{other}")).Status);
        var described = (await _api.GetAsync($"/topics/{topic}")).Body;
        Assert.Equal(2, described.GetProperty("partitionCount").GetInt32());
        Assert.All(described.GetProperty("config").EnumerateArray(), config => Assert.Equal("default", config.GetProperty("source").GetString()));
    }

    [Fact]
    public async Task Pages_GoOnAfterTheLastName()
    {
        var prefix = $"p-{Guid.NewGuid():N}-";
        foreach (var name in new[] { "c", "a", "b" })
        {
            Assert.Equal(HttpStatusCode.Created, (await _api.PostAsync("/topics", $$"""{"name":"{{prefix}}{{name}}"}""")).Status);
            using var consumer = Topics.Consumer(broker.Bootstrap, config => config.GroupId = prefix + name);
            consumer.Commit([new TopicPartitionOffset(prefix + name, 0, 0)]);
        }

        foreach (var (path, list, id) in new[] { ("/topics", "topics", "name"), ("/groups", "groups", "groupId") })
        {
            var first = (await _api.GetAsync($"{path}?prefix={prefix}&limit=2")).Body;
            var second = (await _api.GetAsync($"{path}?prefix={prefix}&limit=2&after={first.GetProperty("next").GetString()}")).Body;
            Assert.Equal([$"{prefix}a", $"{prefix}b"], first.GetProperty(list).EnumerateArray().Select(one => one.GetProperty(id).GetString()));
            Assert.Equal([$"{prefix}c"], second.GetProperty(list).EnumerateArray().Select(one => one.GetProperty(id).GetString()));
            Assert.Null(second.GetProperty("next").GetString());
        }
    }

    [Fact]
    public async Task Fetch_BeginsAndEndsWhereItIsAskedTo()
    {
        var topic = await _api.CreateTopicAsync();
        for (var number = 0; number < 4; number++)
        {
            using var text = new StringContent($"v{number}", Encoding.UTF8, "text/plain");
            var (status, place) = await _api.SendAsync(HttpMethod.Post, $"/topics/{topic}/records", text, ("Granary-Key", "k"), ("Granary-Timestamp", $"2026-01-02T03:04:0{number}Z"));
            Assert.Equal((HttpStatusCode.Created, number), (status, place.GetProperty("offset").GetInt32()));
        }

        Assert.Equal(["v2", "v3"], await FetchAsync("from=-2"));
        Assert.Equal(["v0", "v1", "v2", "v3"], await FetchAsync("from=-100"));
        Assert.Equal(["v2", "v3"], await FetchAsync("timestamp=2026-01-02T03:04:01.5Z"));
        Assert.Equal(["v3"], await FetchAsync($"timestamp={new DateTimeOffset(2026, 1, 2, 3, 4, 3, TimeSpan.Zero).ToUnixTimeMilliseconds()}"));
        Assert.Empty(await FetchAsync("timestamp=2026-01-03T00:00:00Z"));

        // Each request made a batch of its own; the first comes whole.
        Assert.Equal(["v1"], await FetchAsync("offset=1&maxBytes=1"));
        var record = (await _api.GetAsync($"/topics/{topic}/partitions/0/records?offset=1")).Body.GetProperty("records")[0];
        Assert.Equal(("k", "2026-01-02T03:04:01.000Z"), (record.GetProperty("key").GetProperty("text").GetString(), record.GetProperty("timestamp").GetString()));

        async Task<List<string?>> FetchAsync(string query) =>
            [.. (await _api.GetAsync($"/topics/{topic}/partitions/0/records?{query}")).Body.GetProperty("records").EnumerateArray().Select(one => one.GetProperty("value").GetProperty("text").GetString())];
    }

    [Fact]
    public async Task Positions_AreForgotten()
    {
        var (topic, group) = (await _api.CreateTopicAsync(3), $"g-{Guid.NewGuid():N}");
        using (var consumer = Topics.Consumer(broker.Bootstrap, config => config.GroupId = group))
            consumer.Commit([.. Enumerable.Range(0, 3).Select(partition => new TopicPartitionOffset(topic, partition, 0))]);

        Assert.Equal(HttpStatusCode.NoContent, (await _api.SendAsync(HttpMethod.Delete, $"/groups/{group}/offsets?topic={topic}&partition=1", null)).Status);
        Assert.Equal([0, 2], (await _api.GetAsync($"/groups/{group}")).Body.GetProperty("offsets").EnumerateArray().Select(one => one.GetProperty("partition").GetInt32()).Order());
        Assert.Equal("topic", (await _api.SendAsync(HttpMethod.Delete, $"/groups/{group}/offsets", null)).Body.GetProperty("field").GetString());
        Assert.Equal(HttpStatusCode.NoContent, (await _api.SendAsync(HttpMethod.Delete, $"/groups/{group}/offsets?topic={topic}", null)).Status);
        var (status, described) = await _api.GetAsync($"/groups/{group}");
        Assert.True(status == HttpStatusCode.NotFound || described.GetProperty("offsets").GetArrayLength() == 0, $"{described}");
    }

    [Theory]
    [InlineData("/topics/{t}/partitions/0/records", "If-Match", "\"soon\"")]
    [InlineData("/topics/{t}/records", "If-Match", "\"0\"")]
    [InlineData("/topics/{t}/records", "Idempotency-Key", null)]
    [InlineData("/topics/{t}/records", "Granary-Timestamp", "yesterday")]
    public async Task Headers_ThatCannotBe_AreAProblemThatNamesThem(string path, string header, string? value)
    {
        path = path.Replace("{t}", await _api.CreateTopicAsync(), StringComparison.Ordinal);
        using var text = new StringContent("v", Encoding.UTF8, "text/plain");

        var (status, problem) = await _api.SendAsync(HttpMethod.Post, path, text, (header, value ?? new string('k', 256)));

        Assert.Equal((HttpStatusCode.BadRequest, header), (status, problem.GetProperty("field").GetString()));
    }

    private Task<(HttpStatusCode Status, System.Text.Json.JsonElement Body)> PatchAsync(string path, string json) =>
        _api.SendAsync(HttpMethod.Patch, path, new StringContent(json, Encoding.UTF8, "application/json"));
}

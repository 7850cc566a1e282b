using System.Net;
using System.Text;
using System.Text.Json;
using Granary.Cluster.Apis;
using Granary.Cluster.Silo;
using Granary.Support;
using Xunit;

namespace Granary.Cluster.Replay;

/// <summary>Two silos, of which the second is killed by one of the tests.</summary>
public sealed class ResetHttpFixture : IAsyncLifetime
{
    public ClusterProcess Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions
    {
        Silos = 2,
        Settings = new Dictionary<string, string> { ["Granary__Partitions__RetentionCheckInterval"] = "00:00:00.5" },
    });

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

/// <summary>Resets over HTTP, against the real programs.</summary>
public sealed class ResetHttpTests(ResetHttpFixture fixture) : IClassFixture<ResetHttpFixture>, IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(fixture.Cluster[0].HttpUrl), Timeout = TimeSpan.FromMinutes(1) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SiloProcess Silo => fixture.Cluster[0];

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task APlan_OfASiloThatIsKilled_IsExecutedByTheOther_WithHistoryAndUndo()
    {
        var topic = await FilledTopicAsync(20);
        var group = await GroupOnAsync("silo-1", topic, 12);
        var plan = await PostAsync(group, """{"to":{"by":-5}}""", HttpStatusCode.OK);
        var part = plan.GetProperty("partitions")[0];
        Assert.Equal((12, 7, 5), (Number(part, "from"), Number(part, "to"), Number(part, "records")));
        Assert.True(Number(part, "sizeBytes") > 0 && Number(part, "sizeBytes") == Number(plan, "sizeBytes"), plan.ToString());
        Assert.Equal(("none", false, 0), (part.GetProperty("clamp").GetString(), part.GetProperty("clamped").GetBoolean(), Number(plan, "activeMembers")));
        var planId = plan.GetProperty("planId").GetGuid();
        Assert.Equal(12, await PositionAsync(group));

        fixture.Cluster[1].Kill();
        var execution = $$"""{"planId":"{{planId}}","plan":false,"reason":"bad deployment","by":"operator"}""";
        await Eventually.HoldsAsync("the plan is executed", async () =>
        {
            // 503 until the cluster has noticed; asking again is harmless, even where the first was executed and its answer was lost.
            using var content = new StringContent(execution, Encoding.UTF8, "application/json");
            using var answer = await _http.PostAsync(new Uri($"/groups/{group}/resets", UriKind.Relative), content, Cancellation);
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
            return answer.StatusCode == HttpStatusCode.OK;
        });

        var done = await PostAsync(group, execution, HttpStatusCode.OK);
        Assert.Equal(planId, done.GetProperty("resetId").GetGuid());
        Assert.Equal(7, await PositionAsync(group));
        var undo = await PostAsync(group, $$"""{"to":{"beforeReset":"{{planId}}"},"topics":["{{topic}}"]}""", HttpStatusCode.OK);
        await PostAsync(group, $$"""{"planId":"{{undo.GetProperty("planId").GetGuid()}}","reason":"undo"}""", HttpStatusCode.OK);
        Assert.Equal(12, await PositionAsync(group));
        var history = (await GetAsync($"/groups/{group}/resets")).GetProperty("resets").EnumerateArray().ToList();
        Assert.Equal(["undo", "bad deployment"], history.Select(reset => reset.GetProperty("reason").GetString()));
        Assert.Equal("operator", history[1].GetProperty("by").GetString());
        var change = history[1].GetProperty("partitions")[0];
        Assert.Equal((topic, 0, 12, 7), (change.GetProperty("topic").GetString()!, Number(change, "partition"), Number(change, "from"), Number(change, "to")));
        Assert.Single((await GetAsync($"/groups/{group}/resets?limit=1")).GetProperty("resets").EnumerateArray());
    }

    [Fact]
    public async Task APlan_WhereRetentionByTimeTookRecords_BeginsWithWhatIsLeft()
    {
        var topic = await FilledTopicAsync(10);
        var group = $"g-{Guid.NewGuid():N}";
        await CommitAsync(group, topic, 3);
        // A day is kept from now on: records of years ago go with the next check.
        using (var content = new StringContent("""{"retention.ms":86400000}""", Encoding.UTF8, "application/json"))
            (await _http.PatchAsync(new Uri($"/topics/{topic}/config", UriKind.Relative), content, Cancellation)).EnsureSuccessStatusCode();
        await Eventually.HoldsAsync("old records are gone", async () => Number(await GetAsync($"/topics/{topic}/partitions/0"), "logStartOffset") == 10);
        await AppendAsync(topic, 5, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

        var low = (await PostAsync(group, """{"to":{"offset":4}}""", HttpStatusCode.OK)).GetProperty("partitions")[0];
        var old = (await PostAsync(group, """{"to":{"timestamp":"2023-01-01T00:00:00Z"}}""", HttpStatusCode.OK)).GetProperty("partitions")[0];
        var end = (await PostAsync(group, """{"to":{"latest":true}}""", HttpStatusCode.OK)).GetProperty("partitions")[0];

        Assert.Equal((3, 10, 4, "log-start", 0), (Number(low, "from"), Number(low, "to"), Number(low, "asked"), low.GetProperty("clamp").GetString()!, Number(low, "records")));
        Assert.Equal((10, "none"), (Number(old, "to"), old.GetProperty("clamp").GetString()!));
        Assert.Equal((15, 5), (Number(end, "to"), Number(end, "records")));
    }

    [Fact]
    public async Task WhatIsWrong_IsRefusedWithItsField()
    {
        var topic = await FilledTopicAsync(1);
        var group = $"g-{Guid.NewGuid():N}";
        await CommitAsync(group, topic, 1);
        (string Body, string Field)[] wrong =
        [
            ("{}", "to"),
            ("""{"to":{}}""", "to"),
            ("""{"to":{"earliest":true,"latest":true}}""", "to"),
            ("""{"to":{"earliest":false}}""", "to.earliest"),
            ("""{"to":{"offset":-1}}""", "to.offset"),
            ("""{"to":{"durationMs":-1}}""", "to.durationMs"),
            ("""{"to":{"timestamp":"yesterday"}}""", "to.timestamp"),
            ("""{"to":{"latest":true},"topics":[]}""", "topics"),
            ("""{"to":{"latest":true},"partitions":[{"topic":"x"}]}""", "partitions[0]"),
            ("""{"to":{"latest":true},"plan":false}""", "planId"),
            ("""{"to":{"latest":true},"reason":"early"}""", "reason"),
            ("""{"to":{"latest":true},"misspelt":1}""", "misspelt"),
        ];
        foreach (var (body, field) in wrong)
            Assert.Equal((body, field), (body, (await PostAsync(group, body, HttpStatusCode.BadRequest)).GetProperty("field").GetString()!));
        var unknown = await PostAsync(group, $$"""{"planId":"{{Guid.NewGuid()}}"}""", HttpStatusCode.NotFound);
        Assert.Equal("planId", unknown.GetProperty("field").GetString());
        Assert.Equal("GROUP_ID_NOT_FOUND", (await PostAsync("nobody", """{"to":{"latest":true}}""", HttpStatusCode.NotFound)).GetProperty("kafkaError").GetString());
        Assert.Equal("UNKNOWN_TOPIC_OR_PARTITION", (await PostAsync(group, """{"to":{"latest":true},"topics":["none"]}""", HttpStatusCode.NotFound)).GetProperty("kafkaError").GetString());
        var plan = (await PostAsync(group, """{"to":{"earliest":true}}""", HttpStatusCode.OK)).GetProperty("planId").GetGuid();
        var note = await PostAsync(group, $$"""{"planId":"{{plan}}","reason":"{{new string('x', 5_000)}}"}""", HttpStatusCode.BadRequest);
        Assert.Contains("5000", note.GetProperty("detail").GetString());
        await CommitAsync(group, topic, 0);
        Assert.Contains("stale", (await PostAsync(group, $$"""{"planId":"{{plan}}"}""", HttpStatusCode.Conflict)).GetProperty("detail").GetString());
        await PostAsync(group, $$"""{"planId":"{{plan}}","evenIfMoved":true}""", HttpStatusCode.OK);
    }

    /// <summary>A group with that position whose coordinator, and so its plans, are on that silo.</summary>
    private async Task<string> GroupOnAsync(string silo, string topic, long position)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var group = $"g-{Guid.NewGuid():N}";
            await CommitAsync(group, topic, position);
            if ((await GetAsync($"/groups/{group}")).GetProperty("coordinator").GetProperty("name").GetString() == silo)
                return group;
        }

        throw new InvalidOperationException($"no group of a hundred is coordinated by {silo}");
    }

    /// <summary>Commits where the group's coordinator is: the other silo sends clients away.</summary>
    private Task CommitAsync(string group, string topic, long position) => Eventually.HoldsAsync("a position is committed", async () =>
    {
        for (var silo = 0; silo < 2; silo++)
        {
            if (!fixture.Cluster[silo].IsRunning)
                continue;
            await using var client = await fixture.Cluster[silo].ConnectAsync();
            if (await client.CommitAsync(group, topic, 0, position) == 0)
                return true;
        }

        return false;
    });

    /// <summary>With records of years ago.</summary>
    private async Task<string> FilledTopicAsync(int records)
    {
        await using var client = await Silo.ConnectAsync();
        var topic = await client.NewTopicAsync(1, ("retention.ms", "864000000000"));
        await AppendAsync(topic, records, 1_700_000_000_000);
        return topic;
    }

    private async Task AppendAsync(string topic, int records, long time)
    {
        var some = Enumerable.Range(0, records).Select(number => new { value = $"{number}", timestamp = time + number });
        using var content = new StringContent(JsonSerializer.Serialize(new { records = some }), Encoding.UTF8, "application/json");
        await ReadAsync(await _http.PostAsync(new Uri($"/topics/{topic}/partitions/0/records", UriKind.Relative), content, Cancellation), HttpStatusCode.Created);
    }

    private async Task<long> PositionAsync(string group) => Number((await GetAsync($"/groups/{group}")).GetProperty("offsets")[0], "committedOffset");

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();

    private async Task<JsonElement> GetAsync(string path) => await ReadAsync(await _http.GetAsync(new Uri(path, UriKind.Relative), Cancellation), HttpStatusCode.OK);

    private async Task<JsonElement> PostAsync(string group, string body, HttpStatusCode wanted)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await ReadAsync(await _http.PostAsync(new Uri($"/groups/{group}/resets", UriKind.Relative), content, Cancellation), wanted);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode wanted)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.True(answer.StatusCode == wanted, $"{answer.StatusCode} in place of {wanted}: {text}");
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
    }
}

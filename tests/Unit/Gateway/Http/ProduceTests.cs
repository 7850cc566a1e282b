using System.Net;
using System.Net.Http.Headers;
using Granary.Gateway.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Unit.Gateway.Http;

/// <summary>Records that come by HTTP, before a cluster in memory.</summary>
public sealed class ProduceTests
{
    private const int AfterMaxMs = 3_600_000;

    [Theory]
    [InlineData("""{"value":1,"timestamp":TIME}""", "timestamp")]
    [InlineData("""{"records":[{"value":1},{"value":2,"timestamp":TIME}]}""", "records[1].timestamp")]
    public async Task Produce_WithATimeThatTheTopicDoesNotTake_NamesFieldValueAndLimit_AndAppendsNothing(string body, string field)
    {
        await using var http = await TestHttp.StartAsync();
        var topic = http.Cluster.AddTopic("times");
        var late = DateTimeOffset.UtcNow.AddHours(2).ToUnixTimeMilliseconds();

        var (status, problem) = await http.PostAsync("/topics/times/records", body.Replace("TIME", $"{late}", StringComparison.Ordinal));

        Assert.Equal((HttpStatusCode.BadRequest, "INVALID_TIMESTAMP"), (status, problem.GetProperty("kafkaError").GetString()));
        Assert.Equal((field, AfterMaxMs), (problem.GetProperty("field").GetString(), problem.GetProperty("limit").GetInt32()));
        Assert.Contains($"{late}", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(http.Cluster[topic, 0].Appended);
    }

    [Fact]
    public async Task Produce_OfABareValueWithSuchATime_NamesItsHeader()
    {
        await using var http = await TestHttp.StartAsync();
        http.Cluster.AddTopic("times");
        var request = TestHttp.Request(HttpMethod.Post, "/topics/times/records", "x", ("Granary-Timestamp", "2999-01-01T00:00:00Z"));
        request.Content!.Headers.ContentType = new MediaTypeHeaderValue("text/plain");

        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("\"field\":\"Granary-Timestamp\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Produce_WithAKey_WhoseCallerGoesAway_IsAppendedAndItsAnswerKept()
    {
        await using var http = await TestHttp.StartAsync();
        var topic = http.Cluster.AddTopic("keyed");
        var partition = http.Cluster[topic, 0];
        var appends = new TaskCompletionSource();
        partition.AppendGate = appends.Task;
        using var leaves = new CancellationTokenSource();
        var first = http.SendAsync(TestHttp.Request(HttpMethod.Post, "/topics/keyed/records", """{"value":1}""", ("Idempotency-Key", "k")), leaves.Token);
        await partition.FirstAppend;

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await http.CallerLeft;
        appends.SetResult();

        await http.Cluster.Keys.KeptAsync("k").WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        var (status, place) = await http.PostAsync("/topics/keyed/records", """{"value":1}""", ("Idempotency-Key", "k"));
        Assert.Equal((HttpStatusCode.Created, 0), (status, place.GetProperty("offset").GetInt32()));
        Assert.Single(partition.Appended);
    }

    [Fact]
    public async Task Produce_InAProcessThatStops_IsToldToTryAgain()
    {
        await using var http = await TestHttp.StartAsync();
        http.Cluster.AddTopic("stops");
        await http.App.Services.GetRequiredService<RecordSender>().StopAsync(CancellationToken.None);

        using var answer = await http.SendAsync(TestHttp.Request(HttpMethod.Post, "/topics/stops/records", """{"value":1}"""), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.StatusCode, answer.Headers.RetryAfter?.ToString()));
        Assert.Empty(http.Log.Errors);
    }

    [Fact]
    public async Task Ready_ThatIsAskedToStop_IsNotReady()
    {
        await using var http = await TestHttp.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(HttpMethod.Get, "/health/ready")).Status);

        http.App.Lifetime.StopApplication();

        var (status, report) = await http.SendAsync(HttpMethod.Get, "/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("Unhealthy", report.GetProperty("checks").GetProperty("process").GetProperty("status").GetString());
    }
}

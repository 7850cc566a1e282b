using System.Net;
using System.Text;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Http;

/// <summary>Where a tail goes on that comes back: gaps, and ends that are not there; and what it shows of odd values.</summary>
public sealed class StreamTests(BrokerFixture broker) : IDisposable
{
    private readonly HttpApi _api = new(broker.HttpUrl);

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task Resumed_WhereRecordsAreGone_IsToldOfTheGap()
    {
        var topic = await _api.CreateTopicAsync();
        await _api.PostAsync($"/topics/{topic}/records", """{"records":[{"value":0},{"value":1},{"value":2},{"value":3},{"value":4}]}""");
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Bootstrap }).Build())
            await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 3)]);

        await using var tail = _api.StreamAsync($"/topics/{topic}/stream", "0:1").GetAsyncEnumerator();

        Assert.True(await tail.MoveNextAsync());
        Assert.Equal(("gap", """{"partition":0,"from":1,"to":3}"""), (tail.Current.Event, tail.Current.Data.GetRawText()));
        Assert.True(await tail.MoveNextAsync());
        Assert.Equal(("record", 3), (tail.Current.Event, tail.Current.Data.GetProperty("offset").GetInt32()));
    }

    [Fact]
    public async Task Resumed_BehindTheEndOfTheLog_IsRefused()
    {
        var topic = await _api.CreateTopicAsync();
        await _api.PostAsync($"/topics/{topic}/records", """{"value":1}""");

        var (status, problem) = await _api.GetAsync($"/topics/{topic}/stream?lastEventId=0:2");

        Assert.Equal((HttpStatusCode.RequestedRangeNotSatisfiable, "Last-Event-ID", 1), (status, problem.GetProperty("field").GetString(), problem.GetProperty("highWatermark").GetInt32()));
    }

    [Fact]
    public async Task Values_ThatLookLikeJsonAndAreNoUtf8_AreShownAsBytes_AndRefusedInABody()
    {
        var topic = await _api.CreateTopicAsync();
        var odd = Encoding.Latin1.GetBytes("""{"s":"ä"}""");
        using (var producer = Topics.Producer(broker.Bootstrap))
        {
            await producer.ProduceAsync(topic, new() { Value = odd });
            await producer.ProduceAsync(topic, new() { Value = Encoding.UTF8.GetBytes("after") });
        }

        var records = (await _api.GetAsync($"/topics/{topic}/partitions/0/records")).Body.GetProperty("records");
        Assert.Equal(odd, records[0].GetProperty("value").GetProperty("base64").GetBytesFromBase64());
        await using var tail = _api.StreamAsync($"/topics/{topic}/stream?from=earliest").GetAsyncEnumerator();
        Assert.True(await tail.MoveNextAsync());
        Assert.True(await tail.MoveNextAsync());
        Assert.Equal("after", tail.Current.Data.GetProperty("value").GetProperty("text").GetString());

        using var body = new ByteArrayContent(Encoding.Latin1.GetBytes("""{"value":{"s":"ä"}}""")) { Headers = { ContentType = new("application/json") } };
        var (status, problem) = await _api.SendAsync(HttpMethod.Post, $"/topics/{topic}/records", body);
        Assert.Equal((HttpStatusCode.BadRequest, "body"), (status, problem.GetProperty("field").GetString()));
    }
}

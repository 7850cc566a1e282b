using System.Diagnostics;
using System.Net;
using Granary.KafkaClients.Groups;
using Granary.Support;

namespace Granary.KafkaClients.Http;

/// <summary>A silo that is asked to stop while callers of its HTTP API wait for records.</summary>
public sealed class GracefulStopTests
{
    /// <summary>A tenth of it is usual. A request that stays holds a stop up until the host gives up waiting, which is after half a minute.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Stop_WithAnOpenTailAndALongPoll_EndsBothAndHandsItsPartitionsOver()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 2 });
        using var stays = new HttpApi(cluster[0].HttpUrl);
        using var stops = new HttpApi(cluster[1].HttpUrl);
        var topic = await stays.CreateTopicAsync(4);
        for (var partition = 0; partition < 4; partition++)
            Assert.Equal(HttpStatusCode.Created, (await stays.PostAsync($"/topics/{topic}/partitions/{partition}/records", """{"value":1}""")).Status);
        await using var tail = stops.StreamAsync($"/topics/{topic}/stream?from=earliest").GetAsyncEnumerator();
        for (var record = 0; record < 4; record++)
            Assert.True(await tail.MoveNextAsync());
        var poll = stops.GetAsync($"/topics/{topic}/partitions/0/records?from=latest&waitMs=30000");
        await Eventually.IsTrueAsync(
            async () => (await stays.GetAsync($"/topics/{topic}/partitions/0")).Body.GetProperty("waitingReaders").GetInt32() == 2,
            () => "the tail and the poll do not both wait");

        var clock = Stopwatch.StartNew();
        Assert.Equal(0, await cluster[1].StopAsync());

        Assert.True(clock.Elapsed < s_patience, $"the stop took {clock.Elapsed}");
        Assert.DoesNotContain("The drain was not told", cluster[1].Output, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be handed over", cluster[1].Output, StringComparison.Ordinal);
        var (status, page) = await poll;
        Assert.Equal((HttpStatusCode.OK, 0, 1), (status, page.GetProperty("records").GetArrayLength(), page.GetProperty("nextOffset").GetInt32()));
        Assert.False(await tail.MoveNextAsync());
        Assert.Equal(HttpStatusCode.Created, (await stays.PostAsync($"/topics/{topic}/partitions/3/records", """{"value":2}""", ("If-Match", "\"1\""))).Status);
    }
}

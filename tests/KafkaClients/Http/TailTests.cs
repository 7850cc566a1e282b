using Granary.Support;

namespace Granary.KafkaClients.Http;

/// <summary>A live tail over HTTP while silos die.</summary>
public sealed class TailTests
{
    private const int Records = 300;

    [Fact]
    public async Task Tail_SurvivesTheDeathOfSilos_WithoutAGapOrADouble()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 3 });
        using var first = new HttpApi(cluster[0].HttpUrl);
        var topic = await first.CreateTopicAsync(6);

        // What gives out producer ids is opened by the silo that needs one first: here by one that dies.
        using (var second = new HttpApi(cluster[1].HttpUrl))
            Assert.Equal(System.Net.HttpStatusCode.Created, (await second.PostAsync($"/topics/{await first.CreateTopicAsync()}/records", """{"value":"first"}""", ("Idempotency-Key", "first"))).Status);
        using var ending = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var reading = ReadAsync([cluster[2].HttpUrl, cluster[0].HttpUrl], topic, ending.Token);
        for (var number = 0; number < Records; number++)
        {
            // One that leads partitions of the tail, then the one that serves it.
            if (number == 100)
                cluster[1].Kill();
            if (number == 200)
                cluster[2].Kill();
            var answer = await first.PostAsync($"/topics/{topic}/partitions/{number % 6}/records", $$"""{"value":"{{number}}"}""", ("Idempotency-Key", $"tail-{number}"));
            Assert.True(answer.Status == System.Net.HttpStatusCode.Created, $"Record {number}: {answer.Status}");
        }

        var read = await reading;

        Assert.Equal(Enumerable.Range(0, Records).Select(number => $"{number}").Order(), read.Select(one => one.Value).Order());
        foreach (var partition in read.GroupBy(one => one.Partition))
            Assert.Equal(Enumerable.Range(0, partition.Count()).Select(offset => (long)offset), partition.Select(one => one.Offset));
    }

    [Fact]
    public async Task SlowReaders_CostWhatIsReadAhead_AndMissNothing()
    {
        // Unread by all of these readers it would be twice of what the process may have.
        const int Readers = 24, Many = 1_200, Size = 10_000;
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["DOTNET_GCHeapHardLimit"] = "0x9000000",
                ["Granary__Partitions__TailCacheBytes"] = "4194304",
                ["Granary__Http__StreamPrefetchBytes"] = "65536",
            },
        });
        using var api = new HttpApi(silo.HttpUrl);
        var topic = await api.CreateTopicAsync();
        var slow = Enumerable.Range(0, Readers).Select(_ => api.StreamAsync($"/topics/{topic}/stream?from=earliest").GetAsyncEnumerator()).ToList();
        await using var fast = api.StreamAsync($"/topics/{topic}/stream?from=earliest").GetAsyncEnumerator();
        var value = new string('x', Size);
        await ProduceAsync(0, 1);
        foreach (var reader in slow)
            Assert.Equal(0, await OffsetAsync(reader));

        // From here on they take nothing, until one that takes everything has it all.
        await ProduceAsync(1, Many);
        for (var offset = 0; offset < Many; offset++)
            Assert.Equal(offset, await OffsetAsync(fast));

        for (var offset = 1; offset < Many; offset++)
            Assert.Equal(offset, await OffsetAsync(slow[0]));
        Assert.True(silo.IsRunning);
        foreach (var reader in slow)
            await reader.DisposeAsync();

        async Task ProduceAsync(int from, int to)
        {
            for (var first = from; first < to; first += 100)
            {
                var records = string.Join(',', Enumerable.Range(0, Math.Min(100, to - first)).Select(_ => $$"""{"value":"{{value}}"}"""));
                Assert.Equal(System.Net.HttpStatusCode.Created, (await api.PostAsync($"/topics/{topic}/records", $$"""{"records":[{{records}}] }""")).Status);
            }
        }

        static async Task<int> OffsetAsync(IAsyncEnumerator<(string Id, string Event, System.Text.Json.JsonElement Data)> reader)
        {
            Assert.True(await reader.MoveNextAsync());
            Assert.Equal("record", reader.Current.Event);
            return reader.Current.Data.GetProperty("offset").GetInt32();
        }
    }

    /// <summary>Reads as an EventSource does: what ends begins again at another gateway, with the last event's id.</summary>
    private static async Task<List<(int Partition, long Offset, string Value)>> ReadAsync(string[] gateways, string topic, CancellationToken cancellation)
    {
        var read = new List<(int Partition, long Offset, string Value)>();
        var id = "0:0,1:0,2:0,3:0,4:0,5:0";
        for (var attempt = 0; ; attempt++)
        {
            using var api = new HttpApi(gateways[attempt % gateways.Length]);
            try
            {
                await foreach (var one in api.StreamAsync($"/topics/{topic}/stream", id, cancellation))
                {
                    id = one.Id;
                    read.Add((one.Data.GetProperty("partition").GetInt32(), one.Data.GetProperty("offset").GetInt64(), one.Data.GetProperty("value").GetProperty("text").GetString()!));
                    if (read.Count == Records)
                        return read;
                }
            }
            catch (Exception lost) when (lost is HttpRequestException or IOException)
            {
                await Task.Delay(50, cancellation);
            }
        }
    }
}

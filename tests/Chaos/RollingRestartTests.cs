using Granary.Abstractions.Cluster;
using Granary.Chaos.Clients;
using Granary.Support;
using Granary.Support.Histories;

namespace Granary.Chaos;

/// <summary>Three silos are stopped and started again, one after the other, under clients as they come out of the box: none may notice.</summary>
[Collection(ClusterUnderFaults.Name)]
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private const int Partitions = 6;
    private const int Reader = 100;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_forEver = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ARollingRestart_IsNoticedByNoDefaultClient()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions());
        await using var service = await ClusterClient.ConnectAsync(cluster);
        await using var idempotent = await StartAsync(cluster, "idempotent", isIdempotent: true);
        await using var plain = await StartAsync(cluster, "plain", isIdempotent: false);
        var openings = new PartitionOpenings(service);
        await openings.WatchAsync(idempotent.Topic.Name);
        await openings.WatchAsync(plain.Topic.Name);
        await Task.WhenAll(idempotent.GoOnAsync(), plain.GoOnAsync());
        foreach (var silo in Enumerable.Range(0, cluster.Count))
            await openings.ReadAsync(NameOf(silo));
        var before = openings.ByCause;

        for (var silo = 0; silo < cluster.Count; silo++)
        {
            await openings.ReadAsync(NameOf(silo));
            Assert.Equal(0, await cluster[silo].StopAsync());
            await Task.WhenAll(idempotent.GoOnAsync(), plain.GoOnAsync());
            await cluster.StartAsync(silo);
            await Task.WhenAll(idempotent.GoOnAsync(), plain.GoOnAsync());
        }

        foreach (var silo in Enumerable.Range(0, cluster.Count))
            await openings.ReadAsync(NameOf(silo));
        Assert.Empty(cluster.UnaskedEnds());

        // Each opening meanwhile was that of a partition that came along with its newest batches and its producers.
        var after = openings.ByCause;
        output.WriteLine($"openings before: {Tell(before)}; after: {Tell(after)}");
        Assert.Equal(before.Where(one => one.Key != HappeningCause.Moved).OrderBy(one => one.Key), after.Where(one => one.Key != HappeningCause.Moved).OrderBy(one => one.Key));
        Assert.True(after.GetValueOrDefault(HappeningCause.Moved) >= 2 * Partitions, Tell(after));

        Assert.Empty(await idempotent.FinishAsync());

        // What was sent twice without a number is there twice, and may lie behind what followed it: that is what the setting says.
        Assert.DoesNotContain(await plain.FinishAsync(), anomaly => !anomaly.Contains(" lies at offsets ", StringComparison.Ordinal) && !anomaly.Contains(" lies behind ", StringComparison.Ordinal));
        output.WriteLine($"longest time that a partition acknowledged nothing: {idempotent.Progress.LongestGap.TotalMilliseconds:0} ms idempotent, {plain.Progress.LongestGap.TotalMilliseconds:0} ms plain");
    }

    private static string NameOf(int silo) => $"silo-{silo}";

    private static string Tell(Dictionary<string, int> openings) => string.Join(", ", openings.Select(one => $"{one.Key} {one.Value}"));

    private static async Task<Clients> StartAsync(ClusterProcess cluster, string name, bool isIdempotent)
    {
        var topic = (await ChaosTopic.CreateAsync(cluster.KafkaBootstrap, Partitions, name)) with { HasDefaultClients = true };
        var history = new HistoryFile(Path.Combine(ChaosSettings.FolderOf("rolling"), $"{name}.txt"));
        var progress = new Progress(1, Partitions);
        return new Clients(topic, history, progress, new KafkaProducer(0, topic, history, progress, s_pace, isIdempotent), new KafkaReader(Reader, topic, history, s_forEver));
    }

    private sealed record Clients(ChaosTopic Topic, HistoryFile History, Progress Progress, KafkaProducer Producer, KafkaReader Consumer) : IAsyncDisposable
    {
        public async Task GoOnAsync() => Assert.Empty(await Progress.AwaitMoreAsync(10, s_patience));

        /// <summary>What was wrong.</summary>
        public async Task<List<string>> FinishAsync()
        {
            await Producer.FinishAsync([]);
            await Consumer.FinishAsync(Topic.Ends());
            Topic.WriteFound(History);
            History.Dispose();
            return [.. new[] { Producer.Failure, Consumer.Failure }.OfType<string>(), .. HistoryChecker.Check(HistoryFile.Read(History.Path))];
        }

        public async ValueTask DisposeAsync()
        {
            await Producer.DisposeAsync();
            await Consumer.DisposeAsync();
            History.Dispose();
        }
    }
}

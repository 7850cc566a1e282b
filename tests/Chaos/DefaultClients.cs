using Granary.Chaos.Clients;
using Granary.Support;
using Granary.Support.Histories;

namespace Granary.Chaos;

/// <summary>A producer and a consumer by assignment as they come out of the box, on a topic of their own.</summary>
internal sealed record DefaultClients(ChaosTopic Topic, HistoryFile History, Progress Progress, KafkaProducer Producer, KafkaReader Consumer) : IAsyncDisposable
{
    private const int Reader = 100;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_forEver = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    public static async Task<DefaultClients> StartAsync(ClusterProcess cluster, string name, int partitions, bool isIdempotent)
    {
        var topic = (await ChaosTopic.CreateAsync(cluster.KafkaBootstrap, partitions, name)) with { HasDefaultClients = true };
        var history = new HistoryFile(Path.Combine(ChaosSettings.FolderOf("rolling"), $"{name}.txt"));
        var progress = new Progress(1, partitions);
        return new DefaultClients(topic, history, progress, new KafkaProducer(0, topic, history, progress, s_pace, isIdempotent), new KafkaReader(Reader, topic, history, s_forEver));
    }

    /// <summary>Every partition acknowledges records.</summary>
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

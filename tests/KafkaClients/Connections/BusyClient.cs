using System.Diagnostics;
using System.Net;
using Granary.Abstractions.Records;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.KafkaClients.Connections;

/// <summary>Produces a record and fetches it back, again and again, on one connection; remembers the longest that took.</summary>
internal sealed class BusyClient : IAsyncDisposable
{
    private const short ProduceVersion = 9;
    private const short FetchVersion = 12;

    private readonly KafkaWire _wire;
    private readonly string _topic;
    private readonly int _partition;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    private BusyClient(KafkaWire wire, string topic, int partition)
    {
        _wire = wire;
        _topic = topic;
        _partition = partition;
        _running = Task.Run(RunAsync);
    }

    public TimeSpan Longest { get; private set; }

    public int Rounds { get; private set; }

    public static async Task<BusyClient> StartAsync(EndPoint silo, string topic, int partition) => new(await KafkaWire.ConnectAsync(silo), topic, partition);

    /// <summary>Ends after the round under way; throws what went wrong.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _wire.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            await RoundAsync().WaitAsync(TimeSpan.FromSeconds(30));
            var took = Stopwatch.GetElapsedTime(began);
            Longest = took > Longest ? took : Longest;
            Rounds++;
        }
    }

    private async Task RoundAsync()
    {
        var writer = new RecordBatchWriter();
        writer.Append(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), null, new byte[100]);
        var produced = await _wire.ProduceAsync(
            new ProduceRequest { Acks = -1, TimeoutMs = 30_000, TopicData = [new() { Name = _topic, PartitionData = [new() { Index = _partition, Records = new RecordBytes(writer.Build()) }] }] },
            ProduceVersion);
        var appended = produced.Responses[0].PartitionResponses[0];
        Assert.Equal(0, appended.ErrorCode);
        var fetched = await _wire.FetchAsync(
            new FetchRequest { MaxWaitMs = 1_000, MinBytes = 1, MaxBytes = 1 << 20, Topics = [new() { Topic = _topic, Partitions = [new() { Partition = _partition, FetchOffset = appended.BaseOffset, PartitionMaxBytes = 1 << 20 }] }] },
            FetchVersion);
        Assert.False(fetched.Responses[0].Partitions[0].Records!.IsEmpty);
    }
}

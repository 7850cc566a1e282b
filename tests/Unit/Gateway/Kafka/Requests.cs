using Granary.Abstractions.Records;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Unit.Gateway.Kafka;

internal static class Requests
{
    public static ProduceRequest Produce(string topic, int partition, byte[]? batch, short acks = -1, int timeoutMs = 30_000) => new()
    {
        Acks = acks,
        TimeoutMs = timeoutMs,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = batch is null ? null : new RecordBytes(batch) }] }],
    };

    public static FetchRequest Fetch(string topic, int partition, long offset, int maxWaitMs = 0, int minBytes = 1) => new()
    {
        MaxWaitMs = maxWaitMs,
        MinBytes = minBytes,
        MaxBytes = 50_000_000,
        Topics = [new() { Topic = topic, Partitions = [new() { Partition = partition, FetchOffset = offset, PartitionMaxBytes = 10_000_000 }] }],
    };
}

internal static class Eventually
{
    /// <summary>Waits, a few seconds at most, for what happens on another thread without a signal of its own.</summary>
    public static async Task TrueAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        while (!condition())
            await Task.Delay(5, patience.Token);
    }
}

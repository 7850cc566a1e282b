using Granary.Abstractions.Clients;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>The in-cluster consumer: reads all partitions over grain calls.</summary>
internal sealed class GrainReader : ChaosReader
{
    private readonly IGrainFactory _grains;

    public GrainReader(int number, ChaosTopic topic, HistoryFile history, IGrainFactory grains)
        : base(number, topic, history)
    {
        _grains = grains;
        Begin(Task.Run(ReadAsync));
    }

    private async Task ReadAsync()
    {
        try
        {
            await using var consumer = new LogConsumer(_grains, new LogConsumerOptions
            {
                MaxWait = TimeSpan.FromSeconds(1),
                RequestTimeout = TimeSpan.FromSeconds(2),
                MaxRetryBackoff = TimeSpan.FromMilliseconds(200),
            });
            consumer.Assign([.. Enumerable.Range(0, Topic.Partitions).Select(PositionOf)]);
            await foreach (var record in consumer.ReadAsync(Stopping))
                Places.Read(record.Partition.Partition, record.Offset, record.Value!.Value.Span);
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // Finished.
        }
        catch (Exception failure)
        {
            // What may pass, it tries again by itself, for ever.
            Failure = $"reader {Number} ended with {failure.GetType().Name}: {failure.Message}";
        }
    }

    private TopicPartitionOffset PositionOf(int partition)
    {
        Places.Position(partition);
        return new TopicPartitionOffset(Topic.Name, partition, LogPosition.At(Places.Next(partition)));
    }
}

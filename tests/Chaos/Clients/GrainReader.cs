using Granary.Abstractions.Clients;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>The in-cluster consumer: reads all partitions over grain calls.</summary>
internal sealed class GrainReader : IChaosClient
{
    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly ReaderPlaces _places;
    private readonly IGrainFactory _grains;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    public GrainReader(int number, ChaosTopic topic, HistoryFile history, IGrainFactory grains)
    {
        (_number, _topic, _grains) = (number, topic, grains);
        _places = new ReaderPlaces(number, topic.Partitions, history);
        _reading = Task.Run(ReadAsync);
    }

    public string? Failure { get; private set; }

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        Failure ??= await _places.AwaitAsync(ends);
        await _stop.CancelAsync();
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _stop.Dispose();
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
            consumer.Assign([.. Enumerable.Range(0, _topic.Partitions).Select(PositionOf)]);
            await foreach (var record in consumer.ReadAsync(_stop.Token))
                _places.Read(record.Partition.Partition, record.Offset, record.Value!.Value.Span);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Finished.
        }
        catch (Exception failure)
        {
            // What may pass, it tries again by itself, for ever.
            Failure = $"reader {_number} ended with {failure.GetType().Name}: {failure.Message}";
        }
    }

    private TopicPartitionOffset PositionOf(int partition)
    {
        _places.Position(partition);
        return new TopicPartitionOffset(_topic.Name, partition, LogPosition.At(_places.Next(partition)));
    }
}

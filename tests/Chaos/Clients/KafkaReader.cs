using System.Diagnostics;
using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>A Confluent.Kafka consumer that reads all partitions by assignment; it may begin anew now and then, where it was, on new connections.</summary>
internal sealed class KafkaReader : IChaosClient
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly HistoryFile _history;
    private readonly ReaderPlaces _places;
    private readonly TimeSpan _lifetime;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;

    /// <param name="lifetime">How long it reads before it begins anew.</param>
    public KafkaReader(int number, ChaosTopic topic, HistoryFile history, TimeSpan lifetime)
    {
        (_number, _history, _lifetime) = (number, history, lifetime);
        _topic = topic.ClientLog is { } log ? topic with { ClientLog = line => log($"reader {number}: {line}") } : topic;
        _places = new ReaderPlaces(number, topic.Partitions, history);
        _reading = Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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

    private void Read()
    {
        while (!_stop.IsCancellationRequested && Failure is null)
        {
            var born = _history.Now;
            using var consumer = _topic.Consumer((_, error) => Failure = error.IsFatal ? $"reader {_number}: {error.Reason}" : Failure);
            consumer.Assign(Enumerable.Range(0, _topic.Partitions).Select(partition =>
            {
                _places.Position(partition);
                return new TopicPartitionOffset(_topic.Name, partition, _places.Next(partition));
            }));
            var clock = Stopwatch.StartNew();
            while (!_stop.IsCancellationRequested && clock.Elapsed < _lifetime && Failure is null)
                ReadOne(consumer, born);
            consumer.Close();
        }
    }

    /// <param name="born">When the consumer was made: it asked for nothing before.</param>
    private void ReadOne(IConsumer<Ignore, byte[]> consumer, long born)
    {
        try
        {
            if (consumer.Consume(s_poll) is not { } record)
                return;
            _places.Read(record.Partition.Value, record.Offset.Value, record.Message.Value);
            _places.Watermark(record.Partition.Value, consumer.GetWatermarkOffsets(record.TopicPartition).High.Value, Math.Max(born, _history.Now - _topic.LongestQuestion.Ticks));
        }
        catch (KafkaException failure)
        {
            // What may pass, it tries again by itself without a word.
            Failure = $"reader {_number}: {failure.Error.Code} ({failure.Error.Reason})";
        }
    }
}

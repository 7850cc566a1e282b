using System.Diagnostics;
using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>A Confluent.Kafka consumer that reads all partitions by assignment; it may begin anew now and then, where it was, on new connections.</summary>
internal sealed class KafkaReader : ChaosReader
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private readonly HistoryFile _history;
    private readonly TimeSpan _lifetime;

    /// <param name="lifetime">How long it reads before it begins anew.</param>
    public KafkaReader(int number, ChaosTopic topic, HistoryFile history, TimeSpan lifetime)
        : base(number, topic.ClientLog is { } log ? topic with { ClientLog = line => log($"reader {number}: {line}") } : topic, history)
    {
        (_history, _lifetime) = (history, lifetime);
        Begin(Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    private void Read()
    {
        while (!Stopping.IsCancellationRequested && Failure is null)
        {
            var born = _history.Now;
            using var consumer = Topic.Consumer((_, error) => Failure = error.IsFatal ? $"reader {Number}: {error.Reason}" : Failure);
            consumer.Assign(Enumerable.Range(0, Topic.Partitions).Select(partition =>
            {
                Places.Position(partition);
                return new TopicPartitionOffset(Topic.Name, partition, Places.Next(partition));
            }));
            var clock = Stopwatch.StartNew();
            while (!Stopping.IsCancellationRequested && clock.Elapsed < _lifetime && Failure is null)
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
            Places.Read(record.Partition.Value, record.Offset.Value, record.Message.Value);
            Places.Watermark(record.Partition.Value, consumer.GetWatermarkOffsets(record.TopicPartition).High.Value, Math.Max(born, _history.Now - Topic.LongestQuestion.Ticks));
        }
        catch (KafkaException failure)
        {
            // What may pass, it tries again by itself without a word.
            Failure = $"reader {Number}: {failure.Error.Code} ({failure.Error.Reason})";
        }
    }
}

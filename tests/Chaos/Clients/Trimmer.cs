using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>Deletes the last partition's oldest records now and then, close behind the readers.</summary>
internal sealed class Trimmer : IChaosClient
{
    private const int Kept = 50;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(1_500);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly HistoryFile _history;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _trimming;

    public Trimmer(int number, ChaosTopic topic, HistoryFile history)
    {
        (_number, _topic, _history) = (number, topic, history);
        _trimming = Task.Run(TrimAsync);
    }

    public string? Failure => null;

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        await _stop.CancelAsync();
        await _trimming;
    }

    public async ValueTask DisposeAsync()
    {
        await FinishAsync([]);
        _stop.Dispose();
    }

    private async Task TrimAsync()
    {
        var partition = new TopicPartition(_topic.Name, _topic.Partitions - 1);
        using var admin = _topic.Admin();
        using var consumer = _topic.Consumer((_, _) => { });
        using var timer = new PeriodicTimer(s_pace);
        var last = 0L;
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    var to = consumer.QueryWatermarkOffsets(partition, s_timeout).High.Value - Kept;
                    if (to <= last)
                        continue;
                    last = to;
                    _history.Add(new HistoryEvent(HistoryEventKind.TrimAsked, 0, _number, partition.Partition.Value, to));
                    await admin.DeleteRecordsAsync([new TopicPartitionOffset(partition, to)], new DeleteRecordsOptions { RequestTimeout = s_timeout, OperationTimeout = s_timeout });
                    _history.Add(new HistoryEvent(HistoryEventKind.Trimmed, 0, _number, partition.Partition.Value, to));
                }
                catch (KafkaException)
                {
                    // Whether it was done is not known; the next one goes further.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
    }
}

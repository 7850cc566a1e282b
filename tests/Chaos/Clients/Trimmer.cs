using Granary.Abstractions.Clients;
using Granary.Abstractions.Partitions;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>
/// Deletes the last partition's oldest records now and then, close behind the readers. Over grain calls: an admin client of Confluent.Kafka
/// that asks for it while the leader goes away never answers, whatever its timeouts say.
/// </summary>
internal sealed class Trimmer : IChaosClient
{
    private const int Kept = 50;

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(1_500);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly HistoryFile _history;
    private readonly IGrainFactory _grains;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _trimming;

    public Trimmer(int number, ChaosTopic topic, HistoryFile history, IGrainFactory grains)
    {
        (_number, _topic, _history, _grains) = (number, topic, history, grains);
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
        var description = await new LogAdmin(_grains).FindTopicAsync(_topic.Name);
        var grain = _grains.GetGrain<IPartitionGrain>(new PartitionId(description!.TopicId, partition.Partition).ToKey());
        await using var consumer = new LogConsumer(_grains, new LogConsumerOptions { RequestTimeout = s_timeout, AskTimeout = s_timeout });
        using var timer = new PeriodicTimer(s_pace);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
                await TrimOnceAsync(partition, grain, consumer);
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
    }

    private async Task TrimOnceAsync(TopicPartition partition, IPartitionGrain grain, LogConsumer consumer)
    {
        try
        {
            var to = (await consumer.EndOffsetsAsync([partition]))[partition] - Kept;
            if (to <= 0)
                return;
            _history.Add(new HistoryEvent(HistoryEventKind.TrimAsked, 0, _number, partition.Partition, to));
            var trimmed = await grain.DeleteRecordsAsync(to).WaitAsync(s_timeout);
            if (trimmed.Error == Granary.Abstractions.ErrorCode.None)
                _history.Add(new HistoryEvent(HistoryEventKind.Trimmed, 0, _number, partition.Partition, trimmed.LowWatermark));
        }
        catch (Exception unknown) when (unknown is not OperationCanceledException)
        {
            // Whether it was done is not known; the next one goes further.
        }
    }
}

using Granary.Abstractions.Clients;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>
/// The in-cluster producer: numbered records to every partition over grain calls, at a steady pace. It gives a record up only when its delivery
/// timeout is over, which is longer than any fault: so none of its sends may fail.
/// </summary>
internal sealed class GrainProducer : IChaosClient
{
    private const int MaxUnanswered = 3_000;

    private static readonly TimeSpan s_finishPatience = TimeSpan.FromMinutes(2);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly HistoryFile _history;
    private readonly Progress _progress;
    private readonly LogProducer _producer;
    private readonly SemaphoreSlim _unanswered = new(MaxUnanswered);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sending;

    public GrainProducer(int number, ChaosTopic topic, HistoryFile history, Progress progress, TimeSpan pace, IGrainFactory grains)
    {
        (_number, _topic, _history, _progress) = (number, topic, history, progress);
        _producer = new LogProducer(grains, new LogProducerOptions
        {
            RequestTimeout = TimeSpan.FromSeconds(2),
            DeliveryTimeout = TimeSpan.FromMinutes(3),
            MaxRetryBackoff = TimeSpan.FromMilliseconds(200),
        });
        _sending = Task.Run(() => SendAsync(pace));
    }

    public string? Failure { get; private set; }

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        await _stop.CancelAsync();
        await _sending;
        if (await Task.WhenAny(_producer.FlushAsync(), Task.Delay(s_finishPatience)) is { IsCompletedSuccessfully: true } && _unanswered.CurrentCount == MaxUnanswered)
            return;
        for (var waited = 0; waited < 100 && _unanswered.CurrentCount < MaxUnanswered; waited++)
            await Task.Delay(10);
        if (_unanswered.CurrentCount < MaxUnanswered)
            Failure ??= $"producer {_number}: {MaxUnanswered - _unanswered.CurrentCount} records have no answer after {s_finishPatience}";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        await _producer.DisposeAsync();
        _stop.Dispose();
    }

    private async Task SendAsync(TimeSpan pace)
    {
        using var timer = new PeriodicTimer(pace);
        try
        {
            for (long number = 0; ; number++)
            {
                await timer.WaitForNextTickAsync(_stop.Token);
                for (var partition = 0; partition < _topic.Partitions; partition++)
                {
                    await _unanswered.WaitAsync(_stop.Token);
                    var record = new SentRecord(_number, partition, number);
                    _history.Add(new HistoryEvent(HistoryEventKind.Sent, 0, _number, partition, Record: record));
                    _ = AnswerAsync(record, _producer.SendAsync(_topic.Name, null, record.ToValue(), partition: partition));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
    }

    private async Task AnswerAsync(SentRecord record, Task<RecordMetadata> sending)
    {
        try
        {
            var place = await sending;
            _history.Add(new HistoryEvent(HistoryEventKind.Acknowledged, 0, _number, record.Partition, place.Offset, record));
            _progress.Acknowledge(_number, record.Partition);
        }
        catch (Exception failure)
        {
            _history.Add(new HistoryEvent(HistoryEventKind.Unknown, 0, _number, record.Partition, Record: record));
            Failure ??= $"producer {_number}: {record} ended with {failure.GetType().Name}: {failure.Message}";
            _history.Note($"producer {_number}: {record}: {failure.Message}");
        }
        finally
        {
            _unanswered.Release();
        }
    }
}

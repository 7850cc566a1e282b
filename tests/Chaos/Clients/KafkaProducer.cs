using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>
/// A Confluent.Kafka producer, idempotent unless told otherwise: numbered records to every partition, at a steady pace. It tries again by itself for longer than any fault
/// lasts, so whatever it reports but a record's place is a failure.
/// </summary>
internal sealed class KafkaProducer : IChaosClient
{
    private const int MaxUnanswered = 3_000;

    /// <summary>Longer than any fault: whoever gets there is stuck.</summary>
    private static readonly TimeSpan s_messageTimeout = TimeSpan.FromMinutes(3);

    private readonly int _number;
    private readonly ChaosTopic _topic;
    private readonly HistoryFile _history;
    private readonly Progress _progress;
    private readonly IProducer<Null, byte[]> _producer;
    private readonly SemaphoreSlim _unanswered = new(MaxUnanswered);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sending;

    public KafkaProducer(int number, ChaosTopic topic, HistoryFile history, Progress progress, TimeSpan pace, bool isIdempotent = true)
    {
        (_number, _topic, _history, _progress) = (number, topic, history, progress);
        _producer = new ProducerBuilder<Null, byte[]>(topic.ProducerSettings(isIdempotent, s_messageTimeout))
            .SetLogHandler(Hear).SetErrorHandler((_, _) => { }).Build();
        _sending = Task.Run(() => SendAsync(pace));
    }

    public string? Failure { get; private set; }

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        await _stop.CancelAsync();
        await _sending;
        _producer.Flush(TimeSpan.FromSeconds(120));
        if (_unanswered.CurrentCount < MaxUnanswered)
            Failure ??= $"producer {_number}: {MaxUnanswered - _unanswered.CurrentCount} records have no answer after two minutes";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        _producer.Dispose();
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
                    _producer.Produce(new TopicPartition(_topic.Name, partition), new Message<Null, byte[]> { Value = record.ToValue() }, report => Answer(record, report));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
        catch (ProduceException<Null, byte[]> refused)
        {
            Failure ??= $"producer {_number}: {refused.Error.Reason}";
        }
    }

    /// <summary>Where it gives up for good, the log says more than the error does.</summary>
    private void Hear(IProducer<Null, byte[]> producer, LogMessage message)
    {
        if (message.Facility != "FATAL")
            return;
        Failure ??= $"producer {_number} gave up: {message.Message}";
        _history.Note(Failure);
    }

    private void Answer(SentRecord record, DeliveryReport<Null, byte[]> report)
    {
        var (kind, offset) = report.Status switch
        {
            PersistenceStatus.Persisted => (HistoryEventKind.Acknowledged, Math.Max(report.Offset.Value, -1)),
            PersistenceStatus.NotPersisted => (HistoryEventKind.Failed, -1),
            _ => (HistoryEventKind.Unknown, -1),
        };
        _history.Add(new HistoryEvent(kind, 0, _number, record.Partition, offset, record));
        if (kind == HistoryEventKind.Acknowledged)
        {
            _progress.Acknowledge(_number, record.Partition);
        }
        else if (Failure is null)
        {
            Failure = $"producer {_number}: {record} ended as {report.Status}: {report.Error.Code} ({report.Error.Reason})";
            _history.Note(Failure);
        }

        _unanswered.Release();
    }
}

using System.Collections.Concurrent;
using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.KafkaClients.Durability;

/// <summary>
/// An idempotent Confluent.Kafka producer that sends numbered records to every partition until it is stopped, and keeps what it sent
/// and what it was told. Bounded: it waits for the oldest records when too many are unanswered.
/// </summary>
internal sealed class SteadyLoad : IDisposable
{
    private const int MaxUnanswered = 2_000;

    private readonly int _producerNumber;
    private readonly TopicPartition[] _partitions;
    private readonly IProducer<Null, byte[]> _producer;
    private readonly SemaphoreSlim _unanswered = new(MaxUnanswered);
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _sending;
    private long _acknowledgements;

    public SteadyLoad(string bootstrap, string topic, int partitions, int producerNumber)
    {
        _producerNumber = producerNumber;
        _partitions = [.. Enumerable.Range(0, partitions).Select(index => new TopicPartition(topic, index))];
        _producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrap,
            EnableIdempotence = true,
            Acks = Acks.All,
            LingerMs = 1,
            MessageTimeoutMs = 120_000,
            RequestTimeoutMs = 10_000,
            ReconnectBackoffMaxMs = 200,
            RetryBackoffMaxMs = 200,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, error) => Fatal = error.IsFatal ? error.Reason : Fatal).Build();
        _sending = new Thread(Send) { IsBackground = true, Name = $"load {producerNumber}" };
        _sending.Start();
    }

    public ConcurrentQueue<SentRecord> Sent { get; } = new();

    public ConcurrentQueue<AcknowledgedRecord> Acknowledged { get; } = new();

    public ConcurrentQueue<string> Refusals { get; } = new();

    /// <summary>Why the producer gave up for good, or null.</summary>
    public string? Fatal { get; private set; }

    public long Acknowledgements => Interlocked.Read(ref _acknowledgements);

    /// <summary>Sends no more, and waits until every record has its answer.</summary>
    public void Finish()
    {
        _stop.Cancel();
        _sending.Join();
        _producer.Flush(TimeSpan.FromSeconds(120));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _sending.Join();
        _producer.Dispose();
        _unanswered.Dispose();
        _stop.Dispose();
    }

    private void Send()
    {
        try
        {
            for (long number = 0; ; number++)
            {
                foreach (var partition in _partitions)
                {
                    _unanswered.Wait(_stop.Token);
                    var record = new SentRecord(_producerNumber, partition.Partition.Value, number);
                    Sent.Enqueue(record);
                    _producer.Produce(partition, new Message<Null, byte[]> { Value = record.ToValue() }, report => Answer(record, report));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
        catch (ProduceException<Null, byte[]> refused)
        {
            Fatal = refused.Error.Reason;
        }
    }

    private void Answer(SentRecord record, DeliveryReport<Null, byte[]> report)
    {
        if (report.Error.IsError)
        {
            Refusals.Enqueue($"{record}: {report.Error.Reason}");
        }
        else
        {
            Acknowledged.Enqueue(new AcknowledgedRecord(record, report.Offset.Value));
            Interlocked.Increment(ref _acknowledgements);
        }

        _unanswered.Release();
    }
}

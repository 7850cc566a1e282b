using System.Collections.Concurrent;
using System.Text;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Appends records to topics over grain calls, from any process that has an Orleans client or is a silo. Records gather into batches per
/// partition; each is in its log once, and one partition's records lie there in the order in which they were sent, whatever is
/// retried. One producer serves a whole process: it is safe for any number of threads. Dispose it to have everything sent.
/// </summary>
public sealed class LogProducer : IAsyncDisposable
{
    private readonly LogProducerOptions _options;
    private readonly TopicDirectory _topics;
    private readonly bool _ownsTopics;
    private readonly TimeProvider _time;
    private readonly BufferMemory _memory;
    private readonly ProducerParts _parts;
    private readonly SendTally _tally = new();
    private readonly ConcurrentDictionary<string, TopicSender> _senders = new(StringComparer.Ordinal);
    private int _isDisposed;

    /// <param name="grains">The cluster: a silo's grain factory, or an <see cref="IClusterClient"/>.</param>
    /// <param name="options">Its limits; defaults where null. Not to be changed afterwards.</param>
    /// <param name="topics">The process's copy of the catalog; null: one of its own.</param>
    /// <param name="time">The clock for timestamps and deadlines; the system's where null.</param>
    /// <param name="logger">Hears of retries; null: nobody does.</param>
    public LogProducer(
        IGrainFactory grains,
        LogProducerOptions? options = null,
        TopicDirectory? topics = null,
        TimeProvider? time = null,
        ILogger<LogProducer>? logger = null)
    {
        _options = options ?? new LogProducerOptions();
        _options.Validate();
        _time = time ?? TimeProvider.System;
        _ownsTopics = topics is null;
        _topics = topics ?? new TopicDirectory(grains, _time);
        var clock = new ClientClock(_time);
        _memory = new BufferMemory(_options, clock, Admit);
        _parts = new ProducerParts(grains, _topics, _options, clock, logger ?? NullLogger<LogProducer>.Instance, _memory.Release) { Tally = _tally };
    }

    /// <summary>
    /// Sends one record; the task ends when it is durable, with the place where it lies. Sends that are made one after another without
    /// awaiting keep their order within a partition. Waits (asynchronously) while the buffer memory is full.
    /// </summary>
    /// <param name="topic">The topic's name; it must exist.</param>
    /// <param name="key">Null, or what the partition is chosen by: equal keys lie in one partition. (A null array converts to an empty key.)</param>
    /// <param name="value">Null, or the content.</param>
    /// <param name="headers">Named values beside it; null: none.</param>
    /// <param name="timestamp">The record's time; null: now. One that the topic does not take is refused here, by this process's clock, before it is in a batch with others.</param>
    /// <param name="partition">The partition, from 0; null: by the key as Kafka's default partitioner does, without a key any.</param>
    /// <exception cref="LogException">The log refused the record, or did not answer within the options' times. Its code says which.</exception>
    /// <remarks>The memory of key, value and headers must not change before the task has ended.</remarks>
    public Task<RecordMetadata> SendAsync(
        string topic,
        ReadOnlyMemory<byte>? key,
        ReadOnlyMemory<byte>? value,
        IReadOnlyList<RecordHeader>? headers = null,
        DateTimeOffset? timestamp = null,
        int? partition = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(topic);
        if (partition is < 0)
            throw new ArgumentOutOfRangeException(nameof(partition), partition, "partitions count from 0");
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        var record = new Record
        {
            Key = key,
            Value = value,
            Headers = headers ?? [],
            Timestamp = (timestamp ?? _time.GetUtcNow()).ToUnixTimeMilliseconds(),
        };
        var send = new PendingSend(topic, record, partition, _tally);

        // Again, now that it counts: disposal says so before it takes the tally's lock to see what there is. So either it waits for this one, or it is seen here,
        // and nobody may be there any more to send this.
        if (Volatile.Read(ref _isDisposed) != 0)
        {
            send.Withdraw();
            throw new ObjectDisposedException(GetType().FullName);
        }

        _memory.Enter(send);
        return send.Task;
    }

    /// <summary>Sends a record of UTF-8 text; see <see cref="SendAsync"/>.</summary>
    public Task<RecordMetadata> SendTextAsync(
        string topic,
        string? key,
        string? value,
        IReadOnlyList<RecordHeader>? headers = null,
        DateTimeOffset? timestamp = null,
        int? partition = null) =>
        SendAsync(topic, Utf8(key), Utf8(value), headers, timestamp, partition);

    /// <summary>Sends everything that was gathered without lingering; ends when all sends made before have their answers, good or bad.</summary>
    public async Task FlushAsync()
    {
        var answered = _tally.AllAnsweredAsync();
        foreach (var sender in _senders.Values)
            sender.Flush();
        await answered;
    }

    /// <summary>Takes no more sends, waits for the answers of all there are (each comes within the options' times), and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        await FlushAsync();
        foreach (var sender in _senders.Values)
            await sender.StopAsync();
        _memory.Dispose();
        if (_ownsTopics)
            await _topics.DisposeAsync();
    }

    private void Admit(PendingSend send) =>
        _senders.GetOrAdd(send.Topic, static (topic, parts) => new TopicSender(topic, parts), _parts).Add(send);

    private static ReadOnlyMemory<byte>? Utf8(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);
}

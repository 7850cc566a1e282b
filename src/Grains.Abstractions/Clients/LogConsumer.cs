using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Reads assigned partitions over grain calls, as one stream: order holds within a partition, and partitions are read concurrently. Keeps
/// no offsets: its user starts it where it likes. Where nothing is new it waits on the partitions and costs one call per partition and
/// <see cref="LogConsumerOptions.MaxWait"/>. Safe for several threads, but only one may read at a time.
/// </summary>
public sealed class LogConsumer : IAsyncDisposable
{
    /// <summary>Below this the share of a partition in the read-ahead is not cut.</summary>
    private const int SmallestReadBytes = 16 * 1024;

    private readonly LogConsumerOptions _options;
    private readonly ConsumerParts _parts;
    private readonly bool _ownsTopics;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();

    // Bounded by the readers: each has two read-aheads in here at the most, and stops after an error.
    private readonly Channel<ReadAhead> _ready = Channel.CreateUnbounded<ReadAhead>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<TopicPartition, PartitionReader> _readers = [];
    private readonly Dictionary<TopicPartition, LogPosition> _paused = [];
    private IEnumerator<ConsumedRecord>? _current;
    private int _isReading;

    /// <param name="grains">The cluster: a silo's grain factory, or an <see cref="IClusterClient"/>.</param>
    /// <param name="options">Its limits; defaults where null. Not to be changed afterwards.</param>
    /// <param name="topics">The process's copy of the catalog; null: one of its own.</param>
    /// <param name="time">The clock for waits and pauses; the system's where null.</param>
    /// <param name="logger">Hears of retries; null: nobody does.</param>
    public LogConsumer(
        IGrainFactory grains,
        LogConsumerOptions? options = null,
        TopicDirectory? topics = null,
        TimeProvider? time = null,
        ILogger<LogConsumer>? logger = null)
    {
        _options = options ?? new LogConsumerOptions();
        _options.Validate();
        _ownsTopics = topics is null;
        _parts = new ConsumerParts(
            grains,
            topics ?? new TopicDirectory(grains, time),
            _options,
            new ClientClock(time ?? TimeProvider.System),
            logger ?? NullLogger<LogConsumer>.Instance,
            ready => _ready.Writer.TryWrite(ready));
    }

    /// <summary>What is assigned now, paused partitions included.</summary>
    public IReadOnlyCollection<TopicPartition> Assignment
    {
        get
        {
            lock (_gate)
                return [.. _readers.Keys, .. _paused.Keys];
        }
    }

    /// <summary>
    /// Reads these partitions from these positions on, and no others any more. Reading ahead begins at once. A partition that does
    /// not exist is told by <see cref="ReadAsync"/>.
    /// </summary>
    public void Assign(params IReadOnlyCollection<TopicPartitionOffset> partitions)
    {
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        lock (_gate)
        {
            var wanted = partitions.ToDictionary(partition => partition.Partition, partition => partition.Position);
            foreach (var reader in _readers.Values)
                reader.Stop();
            _readers.Clear();
            _paused.Clear();
            foreach (var (partition, position) in wanted)
                Open(partition, position, wanted.Count);
        }
    }

    /// <summary>Goes on elsewhere in an assigned partition; what was read ahead of it is dropped.</summary>
    public void Seek(TopicPartition partition, LogPosition position)
    {
        lock (_gate)
        {
            if (_paused.ContainsKey(partition))
            {
                _paused[partition] = position;
                return;
            }

            Take(partition).Stop();
            Open(partition, position, _readers.Count + _paused.Count + 1);
        }
    }

    /// <summary>Gives no more records of an assigned partition until <see cref="Resume"/>; keeps its position.</summary>
    public void Pause(TopicPartition partition)
    {
        lock (_gate)
        {
            if (_paused.ContainsKey(partition))
                return;
            var reader = Take(partition);
            reader.Stop();
            _paused[partition] = reader.Position;
        }
    }

    /// <summary>Goes on with a paused partition where it was.</summary>
    public void Resume(TopicPartition partition)
    {
        lock (_gate)
        {
            if (_paused.Remove(partition, out var position))
                Open(partition, position, _readers.Count + _paused.Count + 1);
        }
    }

    /// <summary>
    /// The offset after the last record given of an assigned partition; the position it was assigned where that is not resolved yet.
    /// To go on there later, assign it.
    /// </summary>
    public LogPosition PositionOf(TopicPartition partition)
    {
        lock (_gate)
        {
            return _paused.TryGetValue(partition, out var position)
                ? position
                : _readers.TryGetValue(partition, out var reader) ? reader.Position : throw NotAssigned(partition);
        }
    }

    /// <summary>
    /// The records of all assigned partitions, without end: waits where there is nothing new. Ends by the token, by disposal, or by
    /// <see cref="LogException"/> where a partition cannot be read any more (deleted, an offset out of range by policy, a batch that is
    /// broken); the others go on in the next call, and that one after a <see cref="Seek"/>. Transactions' markers are not records.
    /// </summary>
    public async IAsyncEnumerable<ConsumedRecord> ReadAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        if (Interlocked.Exchange(ref _isReading, 1) != 0)
            throw new InvalidOperationException("this consumer is being read already: one reader at a time");
        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
            while (!ending.IsCancellationRequested)
            {
                // Kept where the caller leaves in its middle: the next call goes on there.
                if (_current is null && await NextAsync(ending.Token) is { } ready)
                    _current = RecordsOf(ready).GetEnumerator();
                if (TryMoveNext(out var record))
                    yield return record;
            }

            cancellation.ThrowIfCancellationRequested();
        }
        finally
        {
            Volatile.Write(ref _isReading, 0);
        }
    }

    /// <summary>The first offset of each partition's log (inclusive).</summary>
    public Task<IReadOnlyDictionary<TopicPartition, long>> BeginningOffsetsAsync(params IReadOnlyCollection<TopicPartition> partitions) =>
        OffsetsAsync(partitions, OffsetQuery.Earliest);

    /// <summary>The offset after the last record of each partition's log (exclusive).</summary>
    public Task<IReadOnlyDictionary<TopicPartition, long>> EndOffsetsAsync(params IReadOnlyCollection<TopicPartition> partitions) =>
        OffsetsAsync(partitions, OffsetQuery.Latest);

    /// <summary>All partitions of a topic. Throws <see cref="LogException"/> where there is no such topic.</summary>
    public async Task<IReadOnlyList<TopicPartition>> PartitionsOfAsync(string topic)
    {
        await PartitionLookup.FindAsync(_parts.Topics, new TopicPartition(topic, 0), Asking(topic));
        return [.. Enumerable.Range(0, _parts.Topics.Find(topic)?.PartitionCount ?? 0).Select(index => new TopicPartition(topic, index))];
    }

    /// <summary>Stops reading; an enumeration under way ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        lock (_gate)
        {
            foreach (var reader in _readers.Values)
                reader.Stop();
        }

        if (_ownsTopics)
            await _parts.Topics.DisposeAsync();
    }

    private async ValueTask<ReadAhead?> NextAsync(CancellationToken ending)
    {
        try
        {
            return await _ready.Reader.ReadAsync(ending);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return null;
        }
    }

    private bool TryMoveNext(out ConsumedRecord record)
    {
        var current = _current;
        _current = null;
        if (current is null || !current.MoveNext())
        {
            record = default;
            return false;
        }

        // Not reached where it throws: what threw is not gone on with.
        _current = current;
        record = current.Current;
        return true;
    }

    /// <summary>The records of one read-ahead; fewer where the reader is stopped meanwhile.</summary>
    private IEnumerable<ConsumedRecord> RecordsOf(ReadAhead ready)
    {
        var reader = ready.Reader;
        if (reader.IsStopped)
            yield break;
        if (ready.Error is not null)
            throw ready.Error;
        var rest = ready.Batches;
        while (RecordBatchReader.TryTakeBatch(ref rest, out var bytes))
        {
            var batch = Open(reader, bytes);
            while (!batch.Header.IsControl && TryRead(reader, batch, out var record))
            {
                if (record.Offset < ready.FromOffset)
                    continue;
                reader.MoveTo(record.Offset + 1);
                yield return new ConsumedRecord(reader.Partition, record);
                if (reader.IsStopped)
                    yield break;
            }

            reader.MoveTo(batch.Header.EndOffset);
        }

        reader.MakeRoom();
    }

    private async Task<IReadOnlyDictionary<TopicPartition, long>> OffsetsAsync(IReadOnlyCollection<TopicPartition> partitions, long which)
    {
        var offsets = await Task.WhenAll(partitions.Select(partition => OffsetAsync(partition, which)));
        return partitions.Zip(offsets).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    private async Task<long> OffsetAsync(TopicPartition partition, long which)
    {
        var retries = Asking(partition.ToString());
        var id = await PartitionLookup.FindAsync(_parts.Topics, partition, retries);
        var grain = _parts.Grains.GetGrain<IPartitionGrain>(id.ToKey());
        while (true)
        {
            var result = await retries.AskAsync(() => grain.FindOffsetAsync(new OffsetQuery(which)), _options.RequestTimeout);
            if (result.Error == ErrorCode.None)
                return result.Offset;
            await retries.EndureAsync(result.Error, message: null);
        }
    }

    private Retries Asking(string subject) => new(subject, _parts.Backoff, _parts.Clock, _options.AskTimeout, _parts.Logger, _stopping.Token);

    private RecordBatchReader Open(PartitionReader reader, ReadOnlyMemory<byte> batch)
    {
        try
        {
            return new RecordBatchReader(batch, _options.Records);
        }
        catch (InvalidRecordBatchException broken)
        {
            throw Broken(reader, broken);
        }
    }

    private static bool TryRead(PartitionReader reader, RecordBatchReader batch, out Record record)
    {
        try
        {
            return batch.TryRead(out record);
        }
        catch (InvalidRecordBatchException broken)
        {
            throw Broken(reader, broken);
        }
    }

    /// <summary>Stops the reader too: going on behind the broken batch would leave it out in silence.</summary>
    private static LogException Broken(PartitionReader reader, InvalidRecordBatchException broken)
    {
        reader.Stop();
        return new LogException(ErrorCode.CorruptMessage, $"{reader.Partition}: {broken.Message}", broken);
    }

    private PartitionReader Take(TopicPartition partition) =>
        _readers.Remove(partition, out var reader) ? reader : throw NotAssigned(partition);

    private void Open(TopicPartition partition, LogPosition position, int partitions)
    {
        // Two reads of each partition may lie ready.
        var share = Math.Max(SmallestReadBytes, _options.PrefetchBytes / (2L * partitions));
        var reader = new PartitionReader(_parts, partition, position, (int)Math.Min(share, _options.PartitionReadBytes));
        _readers.Add(partition, reader);
        reader.Start();
    }

    private static InvalidOperationException NotAssigned(TopicPartition partition) => new($"{partition} is not assigned to this consumer");
}

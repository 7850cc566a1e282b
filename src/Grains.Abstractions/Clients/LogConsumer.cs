using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Reads partitions over grain calls, as one stream: order holds within a partition, and partitions are read concurrently. Which partitions is said by
/// <see cref="Assign"/> (then it keeps no offsets: its user starts it where it likes) or decided by a group (<see cref="Subscribe"/>). Where nothing is new it waits on the partitions and costs one call per partition and
/// <see cref="LogConsumerOptions.MaxWait"/>. Safe for several threads, but only one may read at a time.
/// </summary>
public sealed class LogConsumer : IAsyncDisposable
{
    /// <summary>Below this the share of a partition in the read-ahead is not cut.</summary>
    private const int SmallestReadBytes = 16 * 1024;

    private readonly LogConsumerOptions _options;
    private readonly ConsumerParts _parts;
    private string _clientId;
    private readonly bool _ownsTopics;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();

    // Bounded by the readers: each has two read-aheads in here at the most, and stops after an error. Null: the group has something to do.
    private readonly Channel<ReadAhead?> _ready = Channel.CreateUnbounded<ReadAhead?>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<TopicPartition, PartitionReader> _readers = [];
    private readonly Dictionary<TopicPartition, LogPosition> _paused = [];
    private IEnumerator<ConsumedRecord>? _current;
    private GroupReading? _group;
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
        _clientId = _options.ClientId;
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
            if (_group is not null)
                throw new InvalidOperationException("this consumer is subscribed: its group decides what it reads");
            var wanted = partitions.ToDictionary(partition => partition.Partition, partition => partition.Position);
            foreach (var reader in _readers.Values)
                reader.Stop();
            _readers.Clear();
            _paused.Clear();
            foreach (var (partition, position) in wanted)
                Open(partition, position, wanted.Count);
        }
    }

    /// <summary>
    /// Reads these topics as a member of a group, which shares their partitions out among its members: in-cluster ones and Kafka clients of the consumer
    /// protocol (KIP-848). Joins with the first <see cref="ReadAsync"/>, and leaves by <see cref="DisposeAsync"/>. Once for a consumer, and instead of <see cref="Assign"/>.
    /// </summary>
    /// <param name="topics">One or more names; a topic that is not there yet is read as soon as it is.</param>
    /// <param name="group">The group's id (group.id).</param>
    /// <param name="options">Its limits and callbacks; defaults where null. Not to be changed afterwards.</param>
    public void Subscribe(IReadOnlyCollection<string> topics, string group, SubscriptionOptions? options = null)
    {
        if (topics.Count == 0 || topics.Any(string.IsNullOrEmpty))
            throw new ArgumentException("name one topic or more, and none that is empty", nameof(topics));
        Join([.. topics.Distinct(StringComparer.Ordinal)], "", group, options ?? new SubscriptionOptions());
    }

    /// <summary>As <see cref="Subscribe"/>, for all topics whose whole name matches a regular expression (RE2's syntax); also those that are made later.</summary>
    public void SubscribePattern(string pattern, string group, SubscriptionOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        Join([], pattern, group, options ?? new SubscriptionOptions());
    }

    /// <summary>
    /// Keeps in the group the positions after all records that were given, the last one too; answers when they are durable. Throws
    /// <see cref="LogException"/> where this consumer is not a member (any more): others may have its partitions.
    /// </summary>
    public Task CommitAsync(CancellationToken cancellation = default) => Subscribed.CommitAsync(cancellation);

    /// <summary>Keeps these positions in the group: of assigned partitions, the offset to go on at, which is the one after the last record done.</summary>
    public Task CommitAsync(IReadOnlyCollection<TopicPartitionOffset> next, CancellationToken cancellation = default) => Subscribed.CommitAsync(next, cancellation);

    /// <summary>What the group keeps of the partitions that are assigned: offset, leader epoch and metadata; those without an offset are left out.</summary>
    public Task<IReadOnlyDictionary<TopicPartition, TopicPartitionOffset>> CommittedAsync(CancellationToken cancellation = default) => Subscribed.CommittedAsync(cancellation);

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

            Remove(partition).Stop();
            Open(partition, position, _readers.Count + _paused.Count + 1);
        }
    }

    /// <summary>Gives no more records of an assigned partition until <see cref="Resume"/>; keeps its position.</summary>
    public void Pause(TopicPartition partition)
    {
        if (!TryPause(partition))
            throw NotAssigned(partition);
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
                if (_group is { } group && !await TryAsync(group.BetweenAsync(ending.Token), ending.Token))
                    break;

                // Kept where the caller leaves in its middle: the next call goes on there.
                if (_current is null && await NextAsync(ending.Token) is { } ready)
                    _current = ReadAheadRecords.Of(ready, _options).GetEnumerator();
                if (!TryMoveNext(out var record))
                    continue;
                _group?.HandOut(record);
                yield return record;
            }

            cancellation.ThrowIfCancellationRequested();
        }
        finally
        {
            // Before another may read: that one is back.
            _group?.Leave();
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

    /// <summary>
    /// Stops reading; an enumeration under way ends. A subscribed one leaves its group: with <see cref="SubscriptionOptions.AutoCommitInterval"/> it commits
    /// what was moved past. A record that was given last counts so only if the next one was asked for; else commit it before.
    /// </summary>
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

        try
        {
            if (_group is { } group)
                await group.LeaveAsync();
        }
        finally
        {
            if (_ownsTopics)
                await _parts.Topics.DisposeAsync();
        }
    }

    /// <summary>As <see cref="Pause"/>; false where the partition is not assigned (any more).</summary>
    internal bool TryPause(TopicPartition partition)
    {
        lock (_gate)
        {
            if (_readers.Remove(partition, out var reader))
            {
                reader.Stop();
                _paused[partition] = reader.Position;
            }

            return _paused.ContainsKey(partition);
        }
    }

    /// <summary>The group has given it this partition.</summary>
    internal void Take(TopicPartition partition, LogPosition position)
    {
        lock (_gate)
            Open(partition, position, _readers.Count + _paused.Count + 1);
    }

    /// <summary>The group has taken this partition back.</summary>
    internal void Drop(TopicPartition partition)
    {
        lock (_gate)
        {
            if (_readers.Remove(partition, out var reader))
                reader.Stop();
            _paused.Remove(partition);
        }
    }

    private void Join(ImmutableArray<string> topics, string pattern, string group, SubscriptionOptions options)
    {
        options.Validate();
        if (!SubscriptionOptions.IsId(group))
            throw new ArgumentException($"the group's id '{group}' has {group.Length} characters; allowed: 1 to {GroupIds.MaxLength}, not all blank, none of them U+0000", nameof(group));
        ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
        var subscription = new GroupSubscription(
            Guid.NewGuid().ToString(), options.InstanceId, topics, pattern, options.Assignor, options.ClientId, options.MaxProcessingTime);
        lock (_gate)
        {
            if (_group is not null || _readers.Count + _paused.Count > 0)
                throw new InvalidOperationException("this consumer is assigned or subscribed already; open another");
            _clientId = options.ClientId;
            _group = new GroupReading(this, _parts, group, subscription, options, () => _ready.Writer.TryWrite(null));
        }
    }

    private GroupReading Subscribed => _group ?? throw new InvalidOperationException("this consumer is in no group: subscribe it first");

    /// <returns>False where it ended because the reading ends.</returns>
    private static async ValueTask<bool> TryAsync(ValueTask work, CancellationToken ending)
    {
        try
        {
            await work;
            return true;
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return false;
        }
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

    private PartitionReader Remove(TopicPartition partition) =>
        _readers.Remove(partition, out var reader) ? reader : throw NotAssigned(partition);

    private void Open(TopicPartition partition, LogPosition position, int partitions)
    {
        // Nobody would stop it: disposal stops what there is under the lock, after it has said so. The position counts still, for what is committed on leaving.
        if (_stopping.IsCancellationRequested)
        {
            _paused[partition] = position;
            return;
        }

        // Two reads of each partition may lie ready.
        var share = Math.Max(SmallestReadBytes, _options.PrefetchBytes / (2L * partitions));
        var reader = new PartitionReader(_parts, partition, position, _clientId, (int)Math.Min(share, _options.PartitionReadBytes));
        _readers.Add(partition, reader);
        reader.Start();
    }

    private static InvalidOperationException NotAssigned(TopicPartition partition) => new($"{partition} is not assigned to this consumer");
}

using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Reads what the group gives a consumer: between two records of <see cref="LogConsumer.ReadAsync"/> it gives partitions back, takes others up where the group's
/// offsets say, and commits. There everything that was given out is moved past, so that a commit says exactly what is done.
/// </summary>
internal sealed class GroupReading
{
    private readonly LogConsumer _consumer;
    private readonly ConsumerParts _parts;
    private readonly SubscriptionOptions _options;
    private readonly GroupSession _session;
    private readonly Action _wake;
    private readonly ITimer _timer;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<PartitionId, TopicPartition> _owned = [];
    private readonly HashSet<PartitionId> _unopened = [];
    private readonly PositionsToCommit _positions = new();
    private (TopicPartition Partition, LogPosition Position)? _inHand;
    private int _life;
    private int _pending = 1;
    private volatile bool _isCommitDue;

    public GroupReading(LogConsumer consumer, ConsumerParts parts, string group, GroupSubscription subscription, SubscriptionOptions options, Action wake)
    {
        (_consumer, _parts, _options, _wake) = (consumer, parts, options, wake);
        _session = new GroupSession(parts, group, subscription, options, Tell);
        _timer = parts.Clock.CreateTimer(() =>
        {
            _isCommitDue = true;
            Tell();
        });
    }

    /// <summary>The reader has come back for the next record: what it had is moved past.</summary>
    public ValueTask BetweenAsync(CancellationToken cancellation)
    {
        _session.ReaderIsBack();
        lock (_gate)
            _inHand = null;
        return Volatile.Read(ref _pending) == 0 ? ValueTask.CompletedTask : new ValueTask(WorkAsync(cancellation));
    }

    /// <summary>The reader is given this record.</summary>
    public void HandOut(ConsumedRecord record)
    {
        // The epoch of the record before it is not at hand; its own is one in which the log reached this offset just as well.
        lock (_gate)
            _inHand = (record.Partition, LogPosition.At(record.Offset, record.LeaderEpoch));
        _session.ReaderLeaves();
    }

    /// <summary>The reading has ended, with a record in hand or while it waited for one: who does not come back keeps no partitions from others.</summary>
    public void Leave() => _session.ReaderLeaves();

    /// <summary>Commits the positions after all records that were given out, the last one too.</summary>
    public Task CommitAsync(CancellationToken cancellation) => CommitAsync(Positions(withInHand: true), cancellation);

    /// <summary>Commits these positions, of partitions that are assigned.</summary>
    public Task CommitAsync(IReadOnlyCollection<TopicPartitionOffset> next, CancellationToken cancellation)
    {
        Dictionary<TopicPartition, PartitionId> ids;
        lock (_gate)
            ids = _owned.ToDictionary(pair => pair.Value, pair => pair.Key);
        return CommitAsync(next.ToDictionary(IdOf, place => ToCommit(place.Position, place.Metadata) ?? throw NoOffset(place)), cancellation);

        PartitionId IdOf(TopicPartitionOffset place) =>
            ids.TryGetValue(place.Partition, out var id) ? id : throw new InvalidOperationException($"{place.Partition} is not assigned to this consumer");

        static ArgumentException NoOffset(TopicPartitionOffset place) => new($"{place} is no offset: only offsets can be committed", nameof(next));
    }

    /// <summary>What the group keeps of the partitions that are assigned; those without an offset are left out.</summary>
    public async Task<IReadOnlyDictionary<TopicPartition, TopicPartitionOffset>> CommittedAsync(CancellationToken cancellation)
    {
        Dictionary<PartitionId, TopicPartition> names;
        lock (_gate)
            names = new(_owned);
        var committed = await _session.CommittedAsync([.. names.Keys], cancellation);
        return committed.ToDictionary(
            one => names[one.Key],
            one => new TopicPartitionOffset(names[one.Key], LogPosition.At(one.Value.Offset, one.Value.LeaderEpoch)) { Metadata = one.Value.Metadata });
    }

    /// <summary>Commits what is moved past where that is wanted, gives everything back, and leaves the group.</summary>
    public async Task LeaveAsync()
    {
        await _turn.WaitAsync();
        try
        {
            await _timer.DisposeAsync();
            var owned = OwnedNow();
            try
            {
                if (owned.Length > 0)
                    await CallAsync(_options.Revoked, owned);
            }
            finally
            {
                await AutoCommitAsync(CancellationToken.None);
                await _session.LeaveAsync();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Tell()
    {
        if (Interlocked.Exchange(ref _pending, 1) == 0)
            _wake();
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            // Before looking: what is told from now on is looked at again.
            Volatile.Write(ref _pending, 0);
            if (_session.Refusal is { } refusal)
                throw refusal;
            await _session.Asking("the catalog", cancellation).AskAsync(_parts.Topics.StartAsync, _parts.Options.RequestTimeout);
            _session.Start();
            await ReconcileAsync(cancellation);
            if (_isCommitDue)
                await AutoCommitAsync(cancellation);
            Rearm();
        }
        catch
        {
            // The rest is for the next time: there is work left.
            Volatile.Write(ref _pending, 1);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task ReconcileAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var (life, revoked, isNew) = _session.With(membership => (membership.Life, membership.ToGiveBack, membership.HasWork));
            if (life != _life)
                await LoseAsync(life);
            else if (!revoked.IsEmpty)
                await GiveBackAsync(revoked, cancellation);
            else if (isNew)
                await ExchangeAsync([]);
            else if (_unopened.Count > 0)
                await OpenAsync(cancellation);
            else
                return;
        }
    }

    private Task LoseAsync(int life)
    {
        var lost = OwnedNow();
        Drop([.. _owned.Keys]);
        lock (_gate)
            _life = life;
        _unopened.Clear();
        return lost.Length > 0 ? CallAsync(_options.Lost, lost) : Task.CompletedTask;
    }

    private async Task GiveBackAsync(ImmutableArray<PartitionId> revoked, CancellationToken cancellation)
    {
        try
        {
            TopicPartition[] names;
            lock (_gate)
                names = [.. revoked.Where(_owned.ContainsKey).Select(partition => _owned[partition])];
            if (names.Length > 0)
            {
                await CallAsync(_options.Revoked, names);
                await AutoCommitAsync(cancellation);
            }
        }
        finally
        {
            // Others wait for them, whatever the callback said.
            Drop(revoked);
            await ExchangeAsync(revoked);
        }
    }

    /// <summary>Tells the group that these are no longer used, and that what it has given instead is.</summary>
    private async Task ExchangeAsync(ImmutableArray<PartitionId> givenBack)
    {
        _unopened.ExceptWith(givenBack);
        _unopened.UnionWith(await _session.ExchangeAsync(givenBack, _life));
    }

    private async Task OpenAsync(CancellationToken cancellation)
    {
        ImmutableArray<PartitionId> opened = [.. _unopened];
        var committed = await _session.CommittedAsync(opened, cancellation);
        var names = new List<TopicPartition>();
        var lacking = new List<TopicPartition>();
        if (opened.Any(id => _parts.Topics.Find(id.TopicId) is null))
            await _session.Asking("the catalog", cancellation).AskAsync(_parts.Topics.RefreshAsync, _parts.Options.RequestTimeout);
        foreach (var id in opened)
        {
            _unopened.Remove(id);

            // A topic that is gone: the group will take its partitions back.
            if (_parts.Topics.Find(id.TopicId) is not { } topic)
                continue;
            var partition = new TopicPartition(topic.Name, id.Index);
            var hasOffset = committed.TryGetValue(id, out var kept);
            _consumer.Take(partition, hasOffset ? LogPosition.At(kept.Offset, kept.LeaderEpoch) : _options.Start == OffsetReset.Latest ? LogPosition.Latest : LogPosition.Earliest);
            lock (_gate)
            {
                _owned[id] = partition;
                _positions.Begin(id, hasOffset ? kept : new PositionToCommit(-1));
            }

            names.Add(partition);
            if (hasOffset || _options.Start != OffsetReset.Throw)
                continue;
            _consumer.Pause(partition);
            lacking.Add(partition);
        }

        await CallAsync(_options.Assigned, names);
        if (lacking.Count > 0)
        {
            throw new LogException(
                ErrorCode.OffsetOutOfRange,
                $"the group keeps no offset of {string.Join(", ", lacking)}; they are paused: seek to where to start, and resume");
        }
    }

    /// <summary>Commits what is moved past. A failure is logged, not thrown: the next commit says the same again, and what is not committed is only read again.</summary>
    private async Task AutoCommitAsync(CancellationToken cancellation)
    {
        _isCommitDue = false;
        if (_options.AutoCommitInterval is null)
            return;
        try
        {
            await CommitAsync(Positions(withInHand: false), cancellation);
        }
        catch (LogException failed)
        {
            ClientDiagnostics.NotCommitted(_parts.Logger, failed.Message, failed);
        }
    }

    private async Task CommitAsync(Dictionary<PartitionId, PositionToCommit> positions, CancellationToken cancellation)
    {
        IReadOnlyDictionary<PartitionId, PositionToCommit> due;
        int life;
        lock (_gate)
            (due, life) = (_positions.Due(positions), _life);
        await _session.CommitAsync(due, life, cancellation);
        lock (_gate)
        {
            _positions.Committed(due);

            // Whoever commits the record in hand is done with it: the commit on leaving must not go back before it.
            if (_inHand is { } held && positions.Any(one => _owned.TryGetValue(one.Key, out var name) && name == held.Partition && one.Value.Offset > held.Position.Offset))
                _inHand = null;
        }
    }

    private Dictionary<PartitionId, PositionToCommit> Positions(bool withInHand)
    {
        lock (_gate)
        {
            var positions = new Dictionary<PartitionId, PositionToCommit>();
            foreach (var (id, partition) in _owned)
            {
                var position = !withInHand && _inHand is { } held && held.Partition == partition ? held.Position : _consumer.PositionOf(partition);
                if (ToCommit(position, metadata: null) is { } place)
                    positions[id] = place;
            }

            return positions;
        }
    }

    /// <summary>Null: it is no offset yet.</summary>
    private static PositionToCommit? ToCommit(LogPosition position, string? metadata) =>
        position.Offset is { } offset ? new PositionToCommit(offset, position.LeaderEpoch, metadata) : null;

    private void Drop(IEnumerable<PartitionId> partitions)
    {
        foreach (var id in partitions)
        {
            TopicPartition partition;
            lock (_gate)
            {
                _positions.End(id);
                if (!_owned.Remove(id, out partition))
                    continue;
            }

            _consumer.Drop(partition);
        }
    }

    private TopicPartition[] OwnedNow()
    {
        lock (_gate)
            return [.. _owned.Values];
    }

    private void Rearm()
    {
        if (_options.AutoCommitInterval is { } interval)
            _parts.Clock.Arm(_timer, _parts.Clock.Now + interval);
    }

    private static Task CallAsync(Func<IReadOnlyCollection<TopicPartition>, Task>? callback, IReadOnlyCollection<TopicPartition> partitions) =>
        callback is null ? Task.CompletedTask : callback(partitions);
}

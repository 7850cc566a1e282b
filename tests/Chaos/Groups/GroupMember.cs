using System.Diagnostics;
using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.Chaos.Groups;

/// <summary>
/// One Confluent.Kafka consumer of a group, from its joining to its end: processes records, commits what it has processed now and then and before it
/// gives a partition back, and writes down what it is told. Everything it does, it does on one thread; so its callbacks come between its own steps.
/// </summary>
internal sealed class GroupMember : IGroupMember
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_commitPace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_fetchTimeout = TimeSpan.FromSeconds(3);

    private readonly int _number;
    private readonly GroupTopic _group;
    private readonly HistoryFile _history;
    private readonly GroupProgress _progress;
    private readonly HashSet<int> _owned = [];

    /// <summary>What is processed and not yet committed, by partition: the offset after it.</summary>
    private readonly Dictionary<int, long> _processed = [];

    private readonly Task _living;
    private volatile Ending _ending;
    private bool _leaving;

    public GroupMember(int number, GroupTopic group, HistoryFile history, GroupProgress progress)
    {
        (_number, _group, _history, _progress) = (number, group, history, progress);
        _living = Task.Factory.StartNew(Live, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private enum Ending
    {
        None,
        ByLeaving,
        WithoutAWord,
    }

    /// <summary>Why it gave up, or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>Commits, gives back what it holds, and leaves the group.</summary>
    public Task LeaveAsync() => EndAsync(Ending.ByLeaving);

    /// <summary>Ends as a process that is killed: nothing is committed, and the group finds out by itself.</summary>
    public Task KillAsync() => EndAsync(Ending.WithoutAWord);

    private Task EndAsync(Ending ending)
    {
        _ending = ending;
        return _living;
    }

    private void Live()
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(_group.Settings())
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => Failure = error.IsFatal ? $"member {_number} of {_group.Name}: {error.Reason}" : Failure)
            .SetPartitionsAssignedHandler(Assign)
            .SetPartitionsRevokedHandler((own, taken) => Revoke(own, taken.Select(one => one.Partition.Value)))
            .SetPartitionsLostHandler((_, taken) => GiveUp(HistoryEventKind.Lost, taken.Select(one => one.Partition.Value)))
            .Build();
        try
        {
            consumer.Subscribe(_group.Topic.Name);
            var clock = Stopwatch.StartNew();
            while (_ending == Ending.None && Failure is null)
            {
                ProcessOne(consumer);
                if (clock.Elapsed <= s_commitPace)
                    continue;
                Commit(consumer, _owned);
                clock.Restart();
            }

            if (_ending == Ending.ByLeaving && Failure is null)
            {
                _leaving = true;
                consumer.Close();
            }
        }
        catch (KafkaException failure)
        {
            Failure ??= $"member {_number} of {_group.Name}: {failure.Error.Reason}";
        }

        // Before the client is gone: what happens after this, it does not see.
        GiveUp(HistoryEventKind.Ended, _owned);
    }

    private void ProcessOne(IConsumer<Ignore, byte[]> consumer)
    {
        try
        {
            if (consumer.Consume(s_poll) is not { } record)
                return;
            var partition = record.Partition.Value;
            _history.Add(new HistoryEvent(HistoryEventKind.Processed, 0, _number, partition, record.Offset.Value, SentRecord.Parse(record.Message.Value), Group: _group.Number));
            _processed[partition] = record.Offset.Value + 1;
            _progress.Process(partition, record.Offset.Value);
        }
        catch (ConsumeException away) when (away.Error.Code is ErrorCode.GroupCoordinatorNotAvailable or ErrorCode.NotCoordinatorForGroup or ErrorCode.GroupLoadInProgress)
        {
            // It asked for committed offsets while nobody could answer: of that it tells, and asks again.
            _history.Note($"member {_number} of {_group.Name}: {away.Error.Reason}");
        }
        catch (ConsumeException failure)
        {
            // What else may pass, it tries again by itself without a word.
            Failure ??= $"member {_number} of {_group.Name}: {failure.Error.Code} ({failure.Error.Reason})";
        }
    }

    private IEnumerable<TopicPartitionOffset> Assign(IConsumer<Ignore, byte[]> consumer, List<TopicPartition> given)
    {
        foreach (var partition in given)
        {
            _owned.Add(partition.Partition.Value);
            _history.Add(new HistoryEvent(HistoryEventKind.Assigned, 0, _number, partition.Partition.Value, Group: _group.Number));
        }

        return Fetch(consumer, given);
    }

    /// <summary>Where to begin; where the coordinator does not say in time, the client is to find out by itself.</summary>
    private IEnumerable<TopicPartitionOffset> Fetch(IConsumer<Ignore, byte[]> consumer, List<TopicPartition> given)
    {
        var began = _history.Now;
        try
        {
            var committed = consumer.Committed(given, s_fetchTimeout);
            foreach (var one in committed)
                _history.Add(new HistoryEvent(HistoryEventKind.Fetched, 0, _number, one.Partition.Value, one.Offset == Offset.Unset ? -1 : one.Offset.Value, Began: began, Group: _group.Number));
            return [.. committed.Select(one => one.Offset == Offset.Unset ? new TopicPartitionOffset(one.TopicPartition, Offset.Beginning) : one)];
        }
        catch (KafkaException unanswered)
        {
            _history.Note($"member {_number} of {_group.Name} was not told where to begin: {unanswered.Error.Reason}");
            return [.. given.Select(partition => new TopicPartitionOffset(partition, Offset.Stored))];
        }
    }

    private void Revoke(IConsumer<Ignore, byte[]> consumer, IEnumerable<int> taken)
    {
        int[] partitions = [.. taken];
        Commit(consumer, partitions);
        GiveUp(_leaving ? HistoryEventKind.Ended : HistoryEventKind.Revoked, partitions);
    }

    private void GiveUp(HistoryEventKind kind, IEnumerable<int> partitions)
    {
        foreach (var partition in partitions.Where(_owned.Contains).ToArray())
        {
            _owned.Remove(partition);
            _processed.Remove(partition);
            _history.Add(new HistoryEvent(kind, 0, _number, partition, Group: _group.Number));
        }
    }

    private void Commit(IConsumer<Ignore, byte[]> consumer, IEnumerable<int> partitions)
    {
        var offsets = partitions.Where(_processed.ContainsKey)
            .Select(partition => new TopicPartitionOffset(_group.Topic.Name, partition, _processed[partition])).ToArray();
        if (offsets.Length == 0)
            return;
        var began = _history.Now;
        try
        {
            consumer.Commit(offsets);
            Tell(offsets.Select(offset => (offset, HistoryEventKind.Committed)), began);
        }
        catch (TopicPartitionOffsetException some)
        {
            Tell(some.Results.Select(result => (result.TopicPartitionOffset, KindOf(result.Error))), began);
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal)
        {
            Tell(offsets.Select(offset => (offset, KindOf(failure.Error))), began);
            _history.Note($"member {_number} of {_group.Name} could not commit: {failure.Error.Code}");
        }
    }

    private void Tell(IEnumerable<(TopicPartitionOffset Place, HistoryEventKind Kind)> outcomes, long began)
    {
        foreach (var (place, kind) in outcomes)
        {
            _history.Add(new HistoryEvent(kind, 0, _number, place.Partition.Value, place.Offset.Value, Began: began, Group: _group.Number));
            if (kind == HistoryEventKind.Committed)
                _processed.Remove(place.Partition.Value);
        }
    }

    private static HistoryEventKind KindOf(Error error) => error.Code switch
    {
        ErrorCode.NoError => HistoryEventKind.Committed,
        ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.RebalanceInProgress or ErrorCode.FencedInstanceId or ErrorCode.StaleMemberEpoch => HistoryEventKind.CommitRefused,
        _ => HistoryEventKind.CommitUnknown,
    };
}

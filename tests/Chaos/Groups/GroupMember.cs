using System.Diagnostics;
using Confluent.Kafka;
using Granary.Support.Histories;

namespace Granary.Chaos.Groups;

/// <summary>
/// One Confluent.Kafka consumer of a group, from its joining to its end: processes records, commits what it has processed now and then and before it
/// gives a partition back, and writes down what it is told. Everything it does, it does on one thread; so its callbacks come between its own steps.
/// Where its client says that it was not told where a partition begins, it leaves and joins anew, as any application has to: librdkafka 2.16 asks no more for that
/// partition then, and once it is to give back another one it neither joins nor beats any more (its issue 5586). Granary answers so only where a coordinator is away for long.
/// </summary>
internal sealed class GroupMember : IGroupMember
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_commitPace = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_fetchTimeout = TimeSpan.FromSeconds(3);

    /// <summary>More than its client may need for a last commit whose coordinator is away.</summary>
    private static readonly TimeSpan s_endPatience = TimeSpan.FromSeconds(60);

    private readonly int _number;
    private readonly GroupTopic _group;
    private readonly HistoryFile _history;
    private readonly Action<int, long> _processing;
    private readonly HashSet<int> _owned = [];

    /// <summary>What is processed and not yet committed, by partition: the offset after it.</summary>
    private readonly Dictionary<int, long> _processed = [];

    private readonly Task _living;
    private volatile Ending _ending;
    private bool _leaving;
    private bool _wasTold;
    private bool _hasForgotten;

    /// <param name="processing">Called on the member's thread with the partition and the offset of each record.</param>
    public GroupMember(int number, GroupTopic group, HistoryFile history, Action<int, long> processing)
    {
        (_number, _group, _history, _processing) = (number, group, history, processing);
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

    /// <summary>A client that does not come to its end is this member's failure, and holds up nobody.</summary>
    private async Task EndAsync(Ending ending)
    {
        _ending = ending;
        if (await Task.WhenAny(_living, Task.Delay(s_endPatience)) == _living)
            await _living;
        else
            Failure ??= $"member {_number} of {_group.Name} does not end ({ending}) within {s_endPatience}";
    }

    private void Live()
    {
        do
        {
            (_leaving, _hasForgotten) = (false, false);
            LiveOnce();
        }
        while (_hasForgotten && _ending == Ending.None && Failure is null);
    }

    private void LiveOnce()
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(_group.Settings())
            .SetLogHandler((_, line) => _group.Topic.ClientLog?.Invoke($"member {_number}: {line.Message}"))
            .SetErrorHandler((_, error) => Failure = error.IsFatal ? $"member {_number} of {_group.Name}: {error.Reason}" : Failure)
            .SetPartitionsAssignedHandler(Assign)
            .SetPartitionsRevokedHandler((own, taken) => Revoke(own, taken.Select(one => one.Partition.Value)))
            .SetPartitionsLostHandler((_, taken) => Lose(taken.Select(one => one.Partition.Value)))
            .Build();
        try
        {
            consumer.Subscribe(_group.Topic.Name);
            LiveOn(consumer);
            if (_ending != Ending.WithoutAWord && Failure is null)
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

    /// <summary>
    /// Until it is to end or to join anew, and a poll has told it nothing more of its partitions. librdkafka (2.16) waits for ever for a handler that was not called before the
    /// client is disposed of without being closed (all protocols but the eager one; its own mock broker shows it too). While this thread waits for the
    /// answer to a commit, what it is told has seconds to arrive.
    /// </summary>
    private void LiveOn(IConsumer<Ignore, byte[]> consumer)
    {
        var clock = Stopwatch.StartNew();
        bool isEnding;
        do
        {
            (isEnding, _wasTold) = (_ending != Ending.None || _hasForgotten, false);
            ProcessOne(consumer);
            if (isEnding || clock.Elapsed <= s_commitPace)
                continue;
            Commit(consumer, _owned);
            clock.Restart();
        }
        while (Failure is null && (!isEnding || _wasTold));
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
            _processing(partition, record.Offset.Value);
        }
        catch (ConsumeException unanswered) when (unanswered.Error.Code is ErrorCode.GroupLoadInProgress)
        {
            _hasForgotten = true;
            _history.Note($"member {_number} of {_group.Name} joins anew: {unanswered.Error.Reason}");
        }
        catch (ConsumeException failure)
        {
            // What else may pass, it tries again by itself without a word.
            Failure ??= $"member {_number} of {_group.Name}: {failure.Error.Code} ({failure.Error.Reason})";
        }
    }

    private IEnumerable<TopicPartitionOffset> Assign(IConsumer<Ignore, byte[]> consumer, List<TopicPartition> given)
    {
        _wasTold = true;
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
        _wasTold = true;
        int[] partitions = [.. taken];
        Commit(consumer, partitions);
        GiveUp(_leaving ? HistoryEventKind.Ended : HistoryEventKind.Revoked, partitions);
    }

    private void Lose(IEnumerable<int> taken)
    {
        _wasTold = true;
        GiveUp(HistoryEventKind.Lost, taken);
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

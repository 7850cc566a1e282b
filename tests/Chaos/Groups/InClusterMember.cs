using System.Diagnostics;
using Granary.Abstractions.Clients;
using Granary.Support.Histories;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.Chaos.Groups;

/// <summary>
/// A member that reads over grain calls (<see cref="LogConsumer.Subscribe"/>). It commits what it has processed now and then and before it gives a partition back. It
/// cannot vanish as a process does: where it is killed it commits nothing and leaves; a static one then keeps its place for a session.
/// </summary>
internal sealed class InClusterMember : IGroupMember
{
    private static readonly TimeSpan s_commitPace = TimeSpan.FromMilliseconds(250);

    private readonly int _number;
    private readonly GroupTopic _group;
    private readonly string? _instanceId;
    private readonly HistoryFile _history;
    private readonly GroupProgress _progress;
    private readonly IGrainFactory _grains;
    private readonly CancellationTokenSource _stop = new();

    // Touched by the reading alone: the callbacks come between two records, or when it has ended.
    private readonly HashSet<int> _owned = [];

    /// <summary>What is processed and not yet committed, by partition: the record after which to go on.</summary>
    private readonly Dictionary<int, ConsumedRecord> _processed = [];

    private readonly Task _living;
    private bool _ended;
    private volatile bool _commitsAtEnd;

    /// <param name="instanceId">Null: a dynamic member.</param>
    public InClusterMember(int number, GroupTopic group, string? instanceId, HistoryFile history, GroupProgress progress, IGrainFactory grains)
    {
        (_number, _group, _instanceId, _history, _progress, _grains) = (number, group, instanceId, history, progress, grains);
        _living = Task.Run(LiveAsync);
    }

    public string? Failure { get; private set; }

    public Task LeaveAsync() => EndAsync(commits: true);

    public Task KillAsync() => EndAsync(commits: false);

    private async Task EndAsync(bool commits)
    {
        _commitsAtEnd = commits;
        await _stop.CancelAsync();
        await _living;
    }

    private async Task LiveAsync()
    {
        await using var consumer = new LogConsumer(_grains, new LogConsumerOptions
        {
            MaxWait = TimeSpan.FromSeconds(1),
            RequestTimeout = TimeSpan.FromSeconds(2),
            AskTimeout = TimeSpan.FromSeconds(4),
            MaxRetryBackoff = TimeSpan.FromMilliseconds(200),
        });
        consumer.Subscribe([_group.Topic.Name], _group.Name, new SubscriptionOptions
        {
            AutoCommitInterval = null,
            InstanceId = _instanceId,
            ClientId = $"member-{_number}",
            Assigned = given =>
            {
                foreach (var partition in given.Select(one => one.Partition).Where(_owned.Add))
                    _history.Add(new HistoryEvent(HistoryEventKind.Assigned, 0, _number, partition, Group: _group.Number));
                return Task.CompletedTask;
            },
            Revoked = async taken =>
            {
                if (!_ended || _commitsAtEnd)
                    await CommitAsync(consumer, taken.Select(one => one.Partition));
                GiveUp(_ended ? HistoryEventKind.Ended : HistoryEventKind.Revoked, taken);
            },
            Lost = lost =>
            {
                GiveUp(HistoryEventKind.Lost, lost);
                return Task.CompletedTask;
            },
        });
        while (!_stop.IsCancellationRequested && Failure is null)
            await ReadAsync(consumer);
        _ended = true;
    }

    private async Task ReadAsync(LogConsumer consumer)
    {
        try
        {
            var clock = Stopwatch.StartNew();
            await foreach (var record in consumer.ReadAsync(_stop.Token))
            {
                Process(record);
                if (clock.Elapsed <= s_commitPace)
                    continue;
                await CommitAsync(consumer, _owned);
                clock.Restart();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Finished.
        }
        catch (LogException away) when (MayPass(away.Error))
        {
            // It asked for committed offsets while nobody could answer for as long as it asks: the next reading asks again.
            _history.Note($"member {_number} of {_group.Name}: {away.Message}");
        }
        catch (Exception failure)
        {
            // What else may pass, it tries again by itself, for ever.
            Failure = $"member {_number} of {_group.Name} ended with {failure.GetType().Name}: {failure.Message}";
        }
    }

    private void Process(ConsumedRecord record)
    {
        var partition = record.Partition.Partition;
        _history.Add(new HistoryEvent(HistoryEventKind.Processed, 0, _number, partition, record.Offset, SentRecord.Parse(record.Value!.Value.Span), Group: _group.Number));
        _processed[partition] = record;
        _progress.Process(partition, record.Offset);
    }

    private void GiveUp(HistoryEventKind kind, IEnumerable<TopicPartition> partitions)
    {
        foreach (var partition in partitions.Select(one => one.Partition).Where(_owned.Remove))
        {
            _processed.Remove(partition);
            _history.Add(new HistoryEvent(kind, 0, _number, partition, Group: _group.Number));
        }
    }

    private async Task CommitAsync(LogConsumer consumer, IEnumerable<int> partitions)
    {
        ConsumedRecord[] done = [.. partitions.Where(_processed.ContainsKey).Select(partition => _processed[partition])];
        if (done.Length == 0)
            return;
        var began = _history.Now;
        try
        {
            await consumer.CommitAsync([.. done.Select(record => new TopicPartitionOffset(record.Partition, LogPosition.After(record)))], CancellationToken.None);
            Tell(done, HistoryEventKind.Committed, began);
        }
        catch (LogException refused)
        {
            // Of several partitions some may have been taken.
            Tell(done, MayPass(refused.Error) ? HistoryEventKind.CommitUnknown : HistoryEventKind.CommitRefused, began);
            _history.Note($"member {_number} of {_group.Name} could not commit: {refused.Error}");
        }
    }

    private static bool MayPass(Code error) => error is Code.NetworkException or Code.RequestTimedOut
        or Code.NotCoordinator or Code.CoordinatorNotAvailable or Code.CoordinatorLoadInProgress;

    private void Tell(ConsumedRecord[] done, HistoryEventKind kind, long began)
    {
        foreach (var record in done)
        {
            _history.Add(new HistoryEvent(kind, 0, _number, record.Partition.Partition, record.Offset + 1, Began: began, Group: _group.Number));
            if (kind == HistoryEventKind.Committed)
                _processed.Remove(record.Partition.Partition);
        }
    }
}

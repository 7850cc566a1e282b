using Confluent.Kafka;
using Granary.Chaos.Clients;
using Granary.Support.Histories;

namespace Granary.Chaos.Groups;

/// <summary>
/// A consumer group that reads the whole topic, and whose members come and go by a seed: now one is killed, now one leaves, and another
/// one takes its place, at once or a while later.
/// </summary>
internal sealed class GroupClient : IChaosClient
{
    private const int Members = 3;
    private const int ShortestTurnMilliseconds = 3_000;
    private const int LongestTurnMilliseconds = 9_000;
    private const int LongestGapMilliseconds = 2_000;

    private static readonly TimeSpan s_fetchTimeout = TimeSpan.FromSeconds(10);

    private readonly GroupTopic _group;
    private readonly HistoryFile _history;
    private readonly GroupProgress _progress;
    private readonly IGrainFactory _grains;
    private readonly IGroupMember[] _members;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _turning;
    private int _next;

    /// <param name="firstMember">The number of the first member; each that follows has the next.</param>
    public GroupClient(GroupTopic group, int firstMember, int seed, HistoryFile history, IGrainFactory grains)
    {
        (_group, _next, _history, _grains) = (group, firstMember, history, grains);
        _progress = new GroupProgress(group.Topic.Partitions);
        _members = [.. Enumerable.Range(0, Members).Select(Join)];
        _turning = TurnAsync(new Random(seed));
    }

    public string? Failure { get; private set; }

    public async Task FinishAsync(IReadOnlyList<long> ends)
    {
        await _stop.CancelAsync();
        await _turning;
        if (await _progress.AwaitAsync(ends) is { } behind)
            Failure ??= $"{_group.Name} {behind}";
        await Task.WhenAll(_members.Select(member => member.LeaveAsync()));
        Failure ??= _members.Select(member => member.Failure).FirstOrDefault(failure => failure is not null);
        await Task.Run(FetchAll);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _turning;
        await Task.WhenAll(_members.Select(member => member.KillAsync()));
        _stop.Dispose();
    }

    private IGroupMember Join(int place)
    {
        var kind = _group.Protocol != GroupProtocolKind.Mixed ? _group.Protocol
            : place == 0 ? GroupProtocolKind.Cooperative : place == 1 ? GroupProtocolKind.Consumer : GroupProtocolKind.InCluster;
        if (kind != GroupProtocolKind.InCluster)
            return new GroupMember(_next++, _group with { Protocol = kind }, _history, _progress.Process);
        return new InClusterMember(_next++, _group, place == 0 ? $"{_group.Name}-static" : null, _history, _progress, _grains);
    }

    private async Task TurnAsync(Random random)
    {
        try
        {
            while (true)
            {
                await Task.Delay(random.Next(ShortestTurnMilliseconds, LongestTurnMilliseconds), _stop.Token);
                var place = random.Next(Members);
                await (random.Next(3) == 0 ? _members[place].LeaveAsync() : _members[place].KillAsync());
                Failure ??= _members[place].Failure;

                // Not to be called off: all places are to be taken in the end.
                await Task.Delay(random.Next(LongestGapMilliseconds), CancellationToken.None);
                _members[place] = Join(place);
            }
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
    }

    /// <summary>What is committed when all is over.</summary>
    private void FetchAll()
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(_group.Settings()).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        var began = _history.Now;
        try
        {
            foreach (var one in consumer.Committed(Enumerable.Range(0, _group.Topic.Partitions).Select(partition => new TopicPartition(_group.Topic.Name, partition)), s_fetchTimeout))
                _history.Add(new HistoryEvent(HistoryEventKind.Fetched, 0, _next, one.Partition.Value, one.Offset == Offset.Unset ? -1 : one.Offset.Value, Began: began, Group: _group.Number));
        }
        catch (KafkaException failure)
        {
            Failure ??= $"{_group.Name}: what it committed cannot be had: {failure.Error.Reason}";
        }
    }
}

using Confluent.Kafka;

namespace Granary.KafkaClients.Groups;

/// <summary>A group of two members that share a topic of four partitions: one commits by interval, one all the time; and who watches its positions.</summary>
internal sealed class WatchedGroup : IAsyncDisposable
{
    public const int Partitions = 4;

    private readonly GroupConsumer _reader;
    private readonly SteadyCommitter _committer;
    private readonly PositionWatch _watch;

    public WatchedGroup(string bootstrap, string group, string topic, Action<ConsumerConfig> change)
    {
        _reader = new GroupConsumer(bootstrap, group, topic, change);
        _committer = new SteadyCommitter(bootstrap, group, topic, change);
        _watch = new PositionWatch(bootstrap, group, topic, _committer);
    }

    public bool IsShared => _reader.Assigned.Count == Partitions / 2 && _committer.Assigned.Count == Partitions / 2;

    /// <summary>How often either member was told of a change of its partitions, and how often a commit was refused; while members join, both come about.</summary>
    public (int, int, int) Disturbances => (_reader.Rebalances, _committer.Rebalances, _committer.Refusals.Count);

    /// <summary>Different records that they have read.</summary>
    public int Read => _reader.Read.Concat(_committer.Read).Distinct().Count();

    public long Acknowledged => _committer.Acknowledged;

    public int Answers => _watch.Answers;

    /// <summary>What was wrong with the positions first; null: nothing.</summary>
    public string? Wrong => _watch.Wrong;

    /// <summary>What a configuration needs to be a classic, cooperative member that is not missed while a broker is away.</summary>
    public static void SpeakClassicProtocol(ConsumerConfig config) =>
        (config.PartitionAssignmentStrategy, config.SessionTimeoutMs) = (PartitionAssignmentStrategy.CooperativeSticky, 30_000);

    public override string ToString() =>
        $"{_reader.Assigned.Count} and {_committer.Assigned.Count} partitions, {Read} read, {Acknowledged} commits acknowledged, {Answers} answers, refused: {string.Join(", ", _committer.Refusals)}, wrong: {Wrong ?? "nothing"}";

    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        _committer.Dispose();
        _reader.Dispose();
    }
}

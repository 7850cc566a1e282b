using Confluent.Kafka;

namespace Granary.KafkaClients.Groups;

/// <summary>
/// Asks for the positions of a committer's partitions all the time, and keeps what is wrong: one that went back, or is behind what was acknowledged.
/// As a consumer that joins nothing: librdkafka's AdminClient ends the process when a coordinator answers such a question with NOT_COORDINATOR.
/// </summary>
internal sealed class PositionWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly IConsumer<byte[]?, string?> _asking;
    private readonly string _group;
    private readonly string _topic;
    private readonly SteadyCommitter _committer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private volatile string? _wrong;
    private int _answers;

    public PositionWatch(string bootstrap, string group, string topic, SteadyCommitter committer)
    {
        (_group, _topic, _committer) = (group, topic, committer);
        var config = new ConsumerConfig { BootstrapServers = bootstrap, GroupId = group, EnableAutoCommit = false, ReconnectBackoffMaxMs = 200 };
        _asking = new ConsumerBuilder<byte[]?, string?>(config).SetLogHandler((_, _) => { }).Build();
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>What was wrong first; null: nothing.</summary>
    public string? Wrong => _wrong;

    /// <summary>How often it was told positions.</summary>
    public int Answers => Volatile.Read(ref _answers);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _asking.Dispose();
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        var former = new Dictionary<int, long>();
        using var timer = new PeriodicTimer(s_pace);
        while (await timer.WaitForNextTickAsync(CancellationToken.None) && !_stop.IsCancellationRequested && _wrong is null)
        {
            // In this order: what was acknowledged before the question must be in its answer.
            var acknowledged = _committer.Acknowledged;
            if (acknowledged == 0)
                continue;
            try
            {
                foreach (var one in _asking.Committed(_committer.Assigned.Select(partition => new TopicPartition(_topic, partition)), s_patience))
                    Check(one.Partition.Value, one.Offset.Value, acknowledged, former);
                Interlocked.Increment(ref _answers);
            }
            catch (KafkaException)
            {
                // The coordinator is away: asked again.
            }
        }
    }

    private void Check(int partition, long position, long acknowledged, Dictionary<int, long> former)
    {
        var before = former.GetValueOrDefault(partition);
        if (position < acknowledged || position < before)
            _wrong = $"partition {partition} of {_group} is at {position}; {acknowledged} was acknowledged, and it was at {before}";
        former[partition] = position;
    }
}

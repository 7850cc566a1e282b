using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Granary.KafkaClients.Groups;

/// <summary>A member of a group that polls on a thread of its own, and keeps what it has read and been given.</summary>
internal sealed class GroupConsumer : IDisposable
{
    private readonly IConsumer<byte[]?, string?> _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _polling;
    private int _revocations;
    private int _rebalances;
    private volatile IReadOnlyList<TopicPartition> _assigned = [];
    private volatile Error? _failure;

    public GroupConsumer(string bootstrap, string group, string topic, Action<ConsumerConfig>? change = null)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = group,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            SessionTimeoutMs = 6_000,
            HeartbeatIntervalMs = 200,
            AutoCommitIntervalMs = 100,
        };
        change?.Invoke(config);
        var isCooperative = config.PartitionAssignmentStrategy == PartitionAssignmentStrategy.CooperativeSticky || config.GroupProtocol == GroupProtocol.Consumer;
        _consumer = new ConsumerBuilder<byte[]?, string?>(config)
            .SetPartitionsAssignedHandler((_, given) => Take(isCooperative ? [.. _assigned, .. given] : given))
            .SetPartitionsRevokedHandler((_, taken) =>
            {
                Interlocked.Increment(ref _revocations);
                Take([.. _assigned.Except(taken.Select(one => one.TopicPartition))]);
            })
            .SetPartitionsLostHandler((_, lost) => Take([.. _assigned.Except(lost.Select(one => one.TopicPartition))]))
            .SetErrorHandler((_, error) => _failure = error.IsFatal ? error : _failure)
            .SetLogHandler((_, _) => { })
            .Build();
        _consumer.Subscribe(topic);
        _polling = Task.Run(Poll);
    }

    public int Revocations => Volatile.Read(ref _revocations);

    /// <summary>How often it was told of a change of its partitions, whatever kind of change.</summary>
    public int Rebalances => Volatile.Read(ref _rebalances);

    /// <summary>The numbers of its partitions.</summary>
    public IReadOnlyList<int> Assigned => [.. _assigned.Select(one => one.Partition.Value)];

    /// <summary>The topics of its partitions, one for each partition.</summary>
    public IReadOnlyList<string> AssignedTopics => [.. _assigned.Select(one => one.Topic)];

    /// <summary>The error that its client cannot go on after; null: there was none.</summary>
    public Error? Failure => _failure;

    public ConcurrentQueue<string> Read { get; } = new();

    /// <summary>What its polls failed with.</summary>
    public ConcurrentQueue<ErrorCode> Errors { get; } = new();

    public string MemberId => _consumer.MemberId;

    /// <summary>What a configuration needs to be one of group.protocol=consumer: the coordinator decides about the rest.</summary>
    public static void SpeakConsumerProtocol(ConsumerConfig config)
    {
        config.GroupProtocol = GroupProtocol.Consumer;
        (config.SessionTimeoutMs, config.HeartbeatIntervalMs, config.PartitionAssignmentStrategy) = (null, null, null);
    }

    /// <summary>Leaves the group, but a static member only goes away.</summary>
    public void Dispose() => End(says: true);

    /// <summary>Closes its connections without a word to the group, as a process that is killed. To be called instead of <see cref="Dispose"/>.</summary>
    public void Vanish() => End(says: false);

    public override string ToString() => $"[{string.Join(", ", _assigned)}] after {Read.Count} records, the last {Read.LastOrDefault()}, and errors: {string.Join(", ", Errors.GroupBy(error => error).Select(error => $"{error.Count()} x {error.Key}"))}";

    private void End(bool says)
    {
        _stop.Cancel();
        _polling.GetAwaiter().GetResult();

        // One that has failed is no member any more, and closing it would only tell that once more.
        if (says && _failure is null)
            _consumer.Close();
        _consumer.Dispose();
        _stop.Dispose();
    }

    private void Take(IReadOnlyList<TopicPartition> assigned)
    {
        _assigned = assigned;
        Interlocked.Increment(ref _rebalances);
    }

    private void Poll()
    {
        while (!_stop.IsCancellationRequested && _failure is null)
        {
            try
            {
                if (_consumer.Consume(TimeSpan.FromMilliseconds(50)) is { } result)
                    Read.Enqueue(result.Message.Value ?? "");
            }
            catch (ConsumeException failure)
            {
                // Where it is not fatal, the broker is away, or the topic is not known yet: the client goes on by itself.
                Errors.Enqueue(failure.Error.Code);
                if (failure.Error.IsFatal)
                    _failure = failure.Error;
            }
        }
    }
}

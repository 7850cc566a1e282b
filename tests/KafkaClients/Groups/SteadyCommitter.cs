using System.Collections.Concurrent;
using Confluent.Kafka;

namespace Granary.KafkaClients.Groups;

/// <summary>
/// A member of a group that commits all the time: 1, 2, 3 and so on for each of its partitions, the next when the last is answered; one that
/// failed is made again. So a position that is lower than one that was acknowledged has gone back.
/// </summary>
internal sealed class SteadyCommitter : IDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(10);

    private readonly IConsumer<byte[]?, string?> _consumer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _living;
    private volatile IReadOnlyList<TopicPartition> _assigned = [];
    private long _acknowledged;
    private int _rebalances;

    public SteadyCommitter(string bootstrap, string group, string topic, Action<ConsumerConfig> change)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = group,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoCommit = false,
            ReconnectBackoffMaxMs = 200,
        };
        change(config);
        _consumer = new ConsumerBuilder<byte[]?, string?>(config)
            .SetPartitionsAssignedHandler((_, given) => Take([.. _assigned, .. given]))
            .SetPartitionsRevokedHandler((_, taken) => Take([.. _assigned.Except(taken.Select(one => one.TopicPartition))]))
            .SetPartitionsLostHandler((_, _) => Take([]))
            .SetLogHandler((_, _) => { })
            .Build();
        _consumer.Subscribe(topic);
        _living = Task.Factory.StartNew(Live, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public IReadOnlyList<int> Assigned => [.. _assigned.Select(one => one.Partition.Value)];

    public int Rebalances => Volatile.Read(ref _rebalances);

    /// <summary>The highest position whose commit was answered without an error, for each of its partitions.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Errors of commits that say that it is no member, or not one of this time.</summary>
    public ConcurrentQueue<ErrorCode> Refusals { get; } = new();

    public ConcurrentQueue<string> Read { get; } = new();

    public void Dispose()
    {
        _stop.Cancel();
        _living.GetAwaiter().GetResult();
        _consumer.Close();
        _consumer.Dispose();
        _stop.Dispose();
    }

    private void Take(IReadOnlyList<TopicPartition> assigned)
    {
        _assigned = assigned;
        Interlocked.Increment(ref _rebalances);
    }

    private void Live()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (_consumer.Consume(s_poll) is { } record)
                    Read.Enqueue(record.Message.Value ?? "");
                if (_assigned.Count > 0)
                    Commit();
            }
            catch (KafkaException failure) when (!failure.Error.IsFatal)
            {
                if (failure.Error.Code is ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId or ErrorCode.StaleMemberEpoch)
                    Refusals.Enqueue(failure.Error.Code);

                // Else a broker is away: the same is committed again.
            }
        }
    }

    private void Commit()
    {
        var next = _acknowledged + 1;
        _consumer.Commit(_assigned.Select(partition => new TopicPartitionOffset(partition, next)));
        Interlocked.Exchange(ref _acknowledged, next);
    }
}

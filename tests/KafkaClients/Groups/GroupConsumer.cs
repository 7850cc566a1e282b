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
            .SetPartitionsAssignedHandler((_, given) => Assigned = isCooperative ? [.. Assigned, .. given.Select(Index)] : [.. given.Select(Index)])
            .SetPartitionsRevokedHandler((_, taken) =>
            {
                Interlocked.Increment(ref _revocations);
                Assigned = [.. Assigned.Except(taken.Select(one => one.Partition.Value))];
            })
            .SetPartitionsLostHandler((_, _) => Assigned = [])
            .SetLogHandler((_, _) => { })
            .Build();
        _consumer.Subscribe(topic);
        _polling = Task.Run(Poll);
    }

    public int Revocations => Volatile.Read(ref _revocations);

    public IReadOnlyList<int> Assigned { get; private set; } = [];

    public ConcurrentQueue<string> Read { get; } = new();

    public string MemberId => _consumer.MemberId;

    /// <summary>Leaves the group, but a static member only goes away.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _polling.GetAwaiter().GetResult();
        _consumer.Close();
        _consumer.Dispose();
        _stop.Dispose();
    }

    private static int Index(TopicPartition partition) => partition.Partition.Value;

    private void Poll()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (_consumer.Consume(TimeSpan.FromMilliseconds(50)) is { } result)
                    Read.Enqueue(result.Message.Value ?? "");
            }
            catch (ConsumeException passing) when (!passing.Error.IsFatal)
            {
                // The broker is away, or the topic is not known yet: the client goes on by itself.
            }
        }
    }
}

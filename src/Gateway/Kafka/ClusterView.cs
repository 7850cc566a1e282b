using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;

namespace Granary.Gateway.Kafka;

/// <summary>A process that clients can connect to.</summary>
internal sealed record Broker(int NodeId, string Host, int Port);

/// <param name="Epoch">The leader epoch as far as this process has heard, or -1.</param>
internal readonly record struct PartitionLeader(int NodeId, int Epoch);

/// <summary>
/// The cluster as clients are told of it: which brokers there are, and which of them leads a partition. For now there is one broker, this
/// process. Safe for many threads.
/// </summary>
internal sealed class ClusterView(KafkaOptions options)
{
    private readonly ConcurrentDictionary<PartitionId, int> _epochs = new();

    public string ClusterId => options.ClusterId;

    /// <summary>The broker that admin clients send what changes the cluster to.</summary>
    public int ControllerId => options.NodeId;

    /// <summary>This process, as its options advertise it.</summary>
    public Broker Self => new(options.NodeId, options.AdvertisedHost, options.AdvertisedPort);

    /// <summary>This process, as clients of that listener reach it.</summary>
    public Broker SelfFor(Listener listener) => new(options.NodeId, listener.Host, listener.Port);

    /// <summary>All brokers, as clients of that listener reach them.</summary>
    public IReadOnlyList<Broker> BrokersFor(Listener listener) => [SelfFor(listener)];

    /// <summary>Which broker to send that partition's requests to.</summary>
    public PartitionLeader LeaderOf(PartitionId partition) =>
        new(options.NodeId, _epochs.TryGetValue(partition, out var epoch) ? epoch : -1);

    /// <summary>Takes note of the epoch that a partition answered with; -1 and older ones are passed over.</summary>
    public void Learn(PartitionId partition, int leaderEpoch)
    {
        if (leaderEpoch < 0 || (_epochs.TryGetValue(partition, out var known) && known >= leaderEpoch))
            return;
        if (_epochs.Count >= options.MaxLearnedEpochs)
            _epochs.Clear();
        _epochs.AddOrUpdate(partition, leaderEpoch, (_, other) => Math.Max(other, leaderEpoch));
    }
}

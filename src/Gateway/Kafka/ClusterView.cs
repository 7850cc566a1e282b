using System.Collections.Concurrent;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;

namespace Granary.Gateway.Kafka;

/// <summary>A process that clients can connect to.</summary>
internal sealed record Broker(int NodeId, string Host, int Port);

/// <param name="Epoch">The leader epoch as far as this process has heard, or -1.</param>
internal readonly record struct PartitionLeader(int NodeId, int Epoch);

/// <summary>
/// The cluster as clients are told of it: which brokers there are, and which of them leads a partition. In a silo that is the cluster's map; at
/// the edge it is this process alone, and so it is before the first map has come. A partition that the map gives to another silo is led from here
/// until it has moved. Safe for many threads.
/// </summary>
internal sealed class ClusterView(KafkaOptions options, ClusterDirectory members, LeaderTable leaders, HostedPartitions hosted)
{
    private readonly ConcurrentDictionary<PartitionId, int> _epochs = new();
    private ulong _epochsOf = ClusterMap.Empty.Fingerprint;

    public string ClusterId => options.ClusterId;

    /// <summary>The broker that admin clients send what changes the cluster to: any does, and all name the same.</summary>
    public int ControllerId => Map.Members is [var first, ..] ? first.NodeId : options.NodeId;

    /// <summary>This process's number.</summary>
    public int NodeId => options.NodeId;

    private ClusterMap Map => options.IsEdge ? ClusterMap.Empty : members.Map;

    /// <summary>Epochs by the present map only: a partition that was elsewhere in between has a later one than was heard of here.</summary>
    private ConcurrentDictionary<PartitionId, int> Epochs
    {
        get
        {
            var fingerprint = Map.Fingerprint;
            if (Volatile.Read(ref _epochsOf) != fingerprint && Interlocked.Exchange(ref _epochsOf, fingerprint) != fingerprint)
                _epochs.Clear();
            return _epochs;
        }
    }

    /// <summary>This process, as clients of that listener reach it.</summary>
    public Broker SelfFor(Listener listener) => new(options.NodeId, listener.Host, listener.Port);

    /// <summary>All brokers, as clients of that listener reach them.</summary>
    public IReadOnlyList<Broker> BrokersFor(Listener listener)
    {
        var brokers = new List<Broker>(Map.Members.Length + 1);
        foreach (var member in Map.Members)
        {
            if (member.NodeId != options.NodeId && EndpointOf(member, listener) is { } endpoint)
                brokers.Add(new Broker(member.NodeId, endpoint.Host, endpoint.Port));
        }

        brokers.Add(SelfFor(listener));
        brokers.Sort(static (one, other) => one.NodeId.CompareTo(other.NodeId));
        return brokers;
    }

    /// <summary>
    /// Which broker to send that partition's requests to. Another broker's epoch is not told: this process may have heard of an old one only, and
    /// clients take an older epoch than they know for an older answer.
    /// </summary>
    public PartitionLeader LeaderOf(Listener listener, PartitionId partition)
    {
        if (ElsewhereOf(listener, partition) is { } other)
            return new PartitionLeader(other.NodeId, -1);
        return new PartitionLeader(options.NodeId, Epochs.TryGetValue(partition, out var epoch) ? epoch : -1);
    }

    /// <summary>
    /// The leader that a refused client is sent to (KIP-951). With the epoch at which the partition arrived there, where it went from here: a client takes
    /// that for newer than what it knows, and goes there without asking for metadata.
    /// </summary>
    public PartitionLeader NextLeaderOf(Listener listener, PartitionId partition) => ElsewhereOf(listener, partition) is { } other
        ? new PartitionLeader(other.NodeId, hosted.EpochOfArrival(partition, other.Silo))
        : LeaderOf(listener, partition);

    /// <summary>True: clients of that listener do better to send this partition's requests to another broker.</summary>
    public bool IsElsewhere(Listener listener, PartitionId partition) => ElsewhereOf(listener, partition) is not null;

    /// <summary>Takes note of the epoch that a partition answered with; -1 and older ones are passed over.</summary>
    public void Learn(PartitionId partition, int leaderEpoch)
    {
        var epochs = Epochs;
        if (leaderEpoch < 0 || (epochs.TryGetValue(partition, out var known) && known >= leaderEpoch))
            return;
        if (epochs.Count >= options.MaxLearnedEpochs)
            epochs.Clear();
        epochs.AddOrUpdate(partition, leaderEpoch, (_, other) => Math.Max(other, leaderEpoch));
    }

    /// <summary>The broker that coordinates that group, as clients of that listener reach it.</summary>
    public Broker CoordinatorOf(Listener listener, string groupId) =>
        ElsewhereOf(listener, groupId) is { } other && EndpointOf(other, listener) is { } endpoint
            ? new Broker(other.NodeId, endpoint.Host, endpoint.Port)
            : SelfFor(listener);

    /// <summary>True: clients of that listener do better to send this group's requests to another broker.</summary>
    public bool IsCoordinatedElsewhere(Listener listener, string groupId) => ElsewhereOf(listener, groupId) is not null;

    private SiloMember? ElsewhereOf(Listener listener, string groupId)
    {
        var map = Map;
        if (map.Members.Length < 2)
            return null;
        var coordinator = map.CoordinatorOf(groupId);
        return coordinator is not null && coordinator.NodeId != options.NodeId && EndpointOf(coordinator, listener) is not null ? coordinator : null;
    }

    private SiloMember? ElsewhereOf(Listener listener, PartitionId partition)
    {
        var map = Map;
        if (map.Members.Length < 2)
            return null;
        var leader = leaders.Under(map).Of(partition);
        return leader is not null && leader.NodeId != options.NodeId && EndpointOf(leader, listener) is not null && !hosted.Serves(partition) ? leader : null;
    }

    private static MemberEndpoint? EndpointOf(SiloMember member, Listener listener)
    {
        foreach (var endpoint in member.Endpoints)
        {
            if (endpoint.Listener == listener.Name)
                return endpoint;
        }

        return null;
    }
}

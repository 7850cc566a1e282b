using System.Collections.Concurrent;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;

namespace Granary.Gateway.Kafka;

/// <summary>A process that clients can connect to.</summary>
internal sealed record Broker(int NodeId, string Host, int Port);

/// <param name="Epoch">The leader epoch as far as this process has heard, or -1.</param>
internal readonly record struct PartitionLeader(int NodeId, int Epoch);

/// <summary>
/// The cluster as clients are told of it: which brokers there are, and which of them leads a partition. At the edge that is this process alone, and so
/// it is before the first map has come. In a silo it is the one where the partition was opened last, with its leader epoch: all silos hear of that
/// (<see cref="KnownLeaders"/>), so they tell the same, and what one of them tells too late is known by its epoch. Safe for many threads.
/// </summary>
internal sealed class ClusterView(KafkaOptions options, CurrentMap current, LeaderTable leaders, HostedPartitions hosted, KnownLeaders known)
{
    /// <summary>At the edge: epochs as answers told them.</summary>
    private readonly ConcurrentDictionary<PartitionId, int> _epochs = new();
    private readonly Lock _following = new();
    private volatile ClusterMap _map = ClusterMap.Empty;

    public string ClusterId => options.ClusterId;

    /// <summary>The broker that admin clients send what changes the cluster to: any does, and all name the same.</summary>
    public int ControllerId => Map.Members is [var first, ..] ? first.NodeId : options.NodeId;

    /// <summary>This process's number.</summary>
    public int NodeId => options.NodeId;

    private ClusterMap Map
    {
        get
        {
            if (options.IsEdge)
                return ClusterMap.Empty;
            var map = current();
            return ReferenceEquals(_map, map) ? map : Follow();
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
    /// Which broker to send that partition's requests to, and the epoch that it leads under. Where the last one that is known is gone, the map says
    /// who is next, and its epoch will be higher: clients take it for newer than all that they know.
    /// </summary>
    public PartitionLeader LeaderOf(Listener listener, PartitionId partition)
    {
        if (options.IsEdge)
            return new PartitionLeader(options.NodeId, _epochs.TryGetValue(partition, out var heard) ? heard : -1);
        if (hosted.Find(partition) is { LeaderEpoch: >= 0 and var epoch })
            return new PartitionLeader(options.NodeId, epoch);
        var map = Map;
        var last = known.Find(partition);
        var holder = last?.At is { } at ? map.Find(at) : null;
        if (holder is not null && holder.NodeId != options.NodeId && EndpointOf(holder, listener) is not null)
            return new PartitionLeader(holder.NodeId, last!.Value.Epoch);
        var next = ElsewhereOf(listener, partition)?.NodeId ?? options.NodeId;
        var isOver = last is { At: null } || (holder?.NodeId == options.NodeId && !hosted.Serves(partition));
        return new PartitionLeader(next, last is null ? -1 : last.Value.Epoch + (isOver ? 1 : 0));
    }

    /// <summary>True: clients of that listener do better to send this partition's requests to another broker.</summary>
    public bool IsElsewhere(Listener listener, PartitionId partition) => ElsewhereOf(listener, partition) is not null;

    /// <summary>Takes note of the epoch that a partition answered with; -1 and older ones are passed over. A silo hears of it otherwise.</summary>
    public void Learn(PartitionId partition, int leaderEpoch)
    {
        if (!options.IsEdge || leaderEpoch < 0 || (_epochs.TryGetValue(partition, out var known) && known >= leaderEpoch))
            return;
        if (_epochs.Count >= options.MaxLearnedEpochs)
            _epochs.Clear();
        _epochs.AddOrUpdate(partition, leaderEpoch, (_, other) => Math.Max(other, leaderEpoch));
    }

    /// <summary>The broker that coordinates that group, as clients of that listener reach it.</summary>
    public Broker CoordinatorOf(Listener listener, string groupId) =>
        ElsewhereOf(listener, groupId) is { } other && EndpointOf(other, listener) is { } endpoint
            ? new Broker(other.NodeId, endpoint.Host, endpoint.Port)
            : SelfFor(listener);

    /// <summary>True: clients of that listener do better to send this group's requests to another broker.</summary>
    public bool IsCoordinatedElsewhere(Listener listener, string groupId) => ElsewhereOf(listener, groupId) is not null;

    /// <summary>One at a time, and by the map as it is then: from a newer map to an older one, who has just joined would seem to have left.</summary>
    private ClusterMap Follow()
    {
        lock (_following)
        {
            var map = current();
            foreach (var member in _map.Members)
            {
                if (map.Find(member.Silo) is null)
                    known.Leave(member.Silo);
            }

            _map = map;
            return map;
        }
    }

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

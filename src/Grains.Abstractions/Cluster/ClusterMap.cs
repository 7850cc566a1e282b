using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// Which silos there are, and so which of them leads each partition: everyone with the same map computes the same leaders, without a look-up.
/// Two maps with the same <see cref="Fingerprint"/> are the same map.
/// </summary>
[GenerateSerializer, Immutable, Alias("granary.ClusterMap")]
public sealed class ClusterMap
{
    [NonSerialized]
    private ConcurrentDictionary<(Guid TopicId, int Count), int[]>? _leaders;

    [NonSerialized]
    private ImmutableArray<SiloMember> _hosts;

    public ClusterMap(IEnumerable<SiloMember> members)
    {
        Members = [.. members.OrderBy(member => member.NodeId)];
        Fingerprint = FingerprintOf(Members);
    }

    public static ClusterMap Empty { get; } = new([]);

    /// <summary>By node id, without gaps in meaning: a silo that is not here takes no part.</summary>
    [Id(0)]
    public ImmutableArray<SiloMember> Members { get; }

    [Id(1)]
    public ulong Fingerprint { get; }

    /// <summary>The members that partitions are placed on: all but the draining ones, unless there are no others.</summary>
    private ImmutableArray<SiloMember> Hosts
    {
        get
        {
            if (_hosts.IsDefault)
                _hosts = Members.Any(member => !member.IsDraining) ? [.. Members.Where(member => !member.IsDraining)] : Members;
            return _hosts;
        }
    }

    public SiloMember? Find(SiloAddress silo) => Members.FirstOrDefault(member => member.Silo.Equals(silo));

    /// <summary>The member that leads that partition of a topic with so many; null in an empty map, or where there is no such partition.</summary>
    public SiloMember? LeaderOf(Guid topicId, int partitionCount, int index)
    {
        if (Hosts.IsEmpty || (uint)index >= (uint)partitionCount)
            return null;
        _leaders ??= new();
        var leaders = _leaders.GetOrAdd((topicId, partitionCount), Place);
        return Hosts[leaders[index]];
    }

    /// <summary>The member that coordinates that group; null in an empty map.</summary>
    public SiloMember? CoordinatorOf(string groupId) =>
        Hosts.IsEmpty ? null : Hosts.Length == 1 ? Hosts[0] : Hosts[PartitionPlacement.PlaceOne(groupId, Hosts)];

    public override string ToString() => string.Join(", ", Members.Select(member => $"{member.NodeId} {member.Name}{(member.IsDraining ? " (draining)" : "")}"));

    private int[] Place((Guid TopicId, int Count) topic) =>
        PartitionPlacement.Place(topic.TopicId, topic.Count, [.. Hosts.Select(host => host.NodeId)]);

    /// <summary>FNV-1a over the members as text: small, stable between processes, and no secret depends on it.</summary>
    private static ulong FingerprintOf(ImmutableArray<SiloMember> members)
    {
        var text = new StringBuilder();
        foreach (var member in members)
        {
            text.Append(member.NodeId).Append('|').Append(member.Name).Append('|').Append(member.Silo.ToParsableString()).Append('|').Append(member.IsDraining);
            foreach (var (listener, host, port) in member.Endpoints)
                text.Append('|').Append(listener).Append('=').Append(host).Append(':').Append(port);
            text.Append('\n');
        }

        var hash = 14695981039346656037UL;
        foreach (var one in Encoding.UTF8.GetBytes(text.ToString()))
            hash = (hash ^ one) * 1099511628211UL;
        return hash;
    }
}

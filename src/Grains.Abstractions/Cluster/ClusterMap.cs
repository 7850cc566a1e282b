using System.Collections.Immutable;
using System.Text;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

/// <summary>
/// Which silos there are. Everyone with the same map and the same topics computes the same leaders (<see cref="PartitionLeaders"/>), without a look-up.
/// Two maps with the same <see cref="Fingerprint"/> are the same map.
/// </summary>
[GenerateSerializer, Immutable, Alias("granary.ClusterMap")]
public sealed class ClusterMap
{
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

    /// <summary>The members that partitions are placed on: all but the draining ones, unless there are no others. Asked for with every heartbeat: computed once.</summary>
    public ImmutableArray<SiloMember> Hosts => _hosts.IsDefault ? _hosts = HostsOf(Members) : _hosts;

    public SiloMember? Find(SiloAddress silo) => Members.FirstOrDefault(member => member.Silo.Equals(silo));

    /// <summary>The member that coordinates that group; null in an empty map.</summary>
    public SiloMember? CoordinatorOf(string groupId) => Hosts switch
    {
        [] => null,
        [var only] => only,
        var hosts => hosts[PartitionPlacement.PlaceOne(groupId, hosts)],
    };

    public override string ToString() => string.Join(", ", Members.Select(member => $"{member.NodeId} {member.Name}{(member.IsDraining ? " (draining)" : "")}"));

    private static ImmutableArray<SiloMember> HostsOf(ImmutableArray<SiloMember> members) =>
        members.Any(member => !member.IsDraining) ? [.. members.Where(member => !member.IsDraining)] : members;

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

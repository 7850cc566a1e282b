using System.Collections.Immutable;
using System.Net;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Orleans.Runtime;

namespace Granary.Unit.Cluster;

/// <summary>Which partitions a silo opens when another is gone.</summary>
public sealed class OrphansTests
{
    private static readonly TopicDescription[] s_topics = [new("orders", Guid.NewGuid(), 30, ImmutableDictionary<string, string>.Empty, 1, false, 1)];
    private static readonly PartitionId[] s_partitions = [.. Enumerable.Range(0, 30).Select(index => new PartitionId(s_topics[0].TopicId, index))];

    private readonly KnownLeaders _known = new();

    [Fact]
    public void Orphans_OfASilo_AreItsPartitionsThatFallToThisOne()
    {
        var before = MapOf(1, 2, 3);
        var lost = s_partitions.Where(partition => LeaderOf(before, partition) == 3);
        Assert.Equal(lost.Where(partition => LeaderOf(MapOf(1, 2), partition) == 1), OrphansOf(before, MapOf(1, 2), gone: 3));
    }

    /// <summary>The former map placed everything elsewhere already, and half of it was still here.</summary>
    [Fact]
    public void Orphans_OfASiloThatDrained_AreWhatWasStillOpenThere()
    {
        var draining = new ClusterMap([.. MapOf(1, 2).Members, MemberOf(3) with { IsDraining = true }]);
        var left = s_partitions.Where(partition => LeaderOf(MapOf(1, 2), partition) == 1).Take(5).ToArray();
        foreach (var partition in s_partitions)
            _known.Learn(partition, MemberOf(left.Contains(partition) ? 3 : LeaderOf(MapOf(1, 2), partition)).Silo, 7);

        Assert.Equal(left, OrphansOf(draining, MapOf(1, 2), gone: 3));
    }

    [Fact]
    public void Orphans_ThatClientsWereToldTheSiloOfIsGone_AreOrphansStill()
    {
        var draining = new ClusterMap([.. MapOf(1, 2).Members, MemberOf(3) with { IsDraining = true }]);
        var last = s_partitions.First(partition => LeaderOf(MapOf(1, 2), partition) == 1);
        _known.Learn(last, MemberOf(3).Silo, 7);
        _known.Leave(MemberOf(3).Silo);

        Assert.Equal([last], OrphansOf(draining, MapOf(1, 2), gone: 3));
    }

    private List<PartitionId> OrphansOf(ClusterMap before, ClusterMap now, int gone) =>
        Orphans.Of(MemberOf(1).Silo, s_topics, before, new PartitionLeaders(now, s_topics), new HashSet<SiloAddress> { MemberOf(gone).Silo }, _known);

    private static int LeaderOf(ClusterMap map, PartitionId partition) => new PartitionLeaders(map, s_topics).Of(partition)!.NodeId;

    private static ClusterMap MapOf(params int[] nodeIds) => new(nodeIds.Select(MemberOf));

    private static SiloMember MemberOf(int id) => new(id, $"silo-{id}", SiloAddress.New(IPAddress.Loopback, 11110 + id, 1), [], false);
}

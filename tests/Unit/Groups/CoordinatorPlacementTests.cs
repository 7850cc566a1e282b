using System.Net;
using Granary.Abstractions.Cluster;
using Orleans.Runtime;

namespace Granary.Unit.Groups;

public sealed class CoordinatorPlacementTests
{
    private const int Groups = 3_000;

    [Fact]
    public void CoordinatorOf_SpreadsGroups_AndAJoiningSiloMovesItsShareAlone()
    {
        var (three, four) = (Map(3), Map(4));
        var names = Enumerable.Range(0, Groups).Select(index => $"group-{index}").ToArray();

        var shares = names.GroupBy(name => three.CoordinatorOf(name)!.NodeId).Select(share => share.Count());
        var moved = names.Where(name => three.CoordinatorOf(name)!.NodeId != four.CoordinatorOf(name)!.NodeId).ToArray();

        Assert.All(shares, share => Assert.InRange(share, Groups / 3 * 0.85, Groups / 3 * 1.15));
        Assert.All(moved, name => Assert.Equal(4, four.CoordinatorOf(name)!.NodeId));
        Assert.InRange(moved.Length, Groups / 4 * 0.85, Groups / 4 * 1.15);
        Assert.Null(ClusterMap.Empty.CoordinatorOf("g"));
    }

    private static ClusterMap Map(int silos) => new(Enumerable.Range(1, silos).Select(number =>
        new SiloMember(number, $"s{number}", SiloAddress.New(IPAddress.Loopback, number, 1), [], IsDraining: false)));
}

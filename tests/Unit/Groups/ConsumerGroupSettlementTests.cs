using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>How often members are looked at to say whether a group is stable.</summary>
public sealed class ConsumerGroupSettlementTests
{
    [Fact]
    public void HoldsOf_LooksAgainOnlyAtWhatHasChanged()
    {
        var (looked, wanting) = (new List<string>(), "");
        var settlement = new ConsumerGroupSettlement(member =>
        {
            looked.Add(member.MemberId);
            return member.MemberId != wanting;
        });
        var members = new[] { "a", "b", "c" }.Select(memberId => new ConsumerGroupMember { MemberId = memberId }).ToArray();
        var targets = new Dictionary<string, ImmutableArray<PartitionId>> { ["a"] = [], ["b"] = [new PartitionId(Guid.Empty, 1)], ["c"] = [] };
        Assert.Equal(["a", "b", "c"], Look(topics: 1));
        Assert.Empty(Look(topics: 1));
        members[0] = members[0] with { MemberEpoch = 2 };
        targets["b"] = [new PartitionId(Guid.Empty, 2)];
        Assert.Equal(["a", "b"], Look(topics: 1));
        Assert.Equal(["a", "b", "c"], Look(topics: 2));
        wanting = "b";
        targets["b"] = [new PartitionId(Guid.Empty, 3)];
        Assert.Equal(["b"], Look(topics: 2, holds: false));
        Assert.Equal(["b"], Look(topics: 2, holds: false));

        string[] Look(long topics, bool holds = true)
        {
            looked.Clear();
            Assert.Equal(holds, settlement.HoldsOf(members, memberId => targets[memberId], topics));
            return [.. looked];
        }
    }
}

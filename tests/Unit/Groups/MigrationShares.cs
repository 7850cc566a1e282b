using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>How a classic leader of <see cref="MigrationWorld"/> shares its topic out, by what the members say they own.</summary>
internal static class MigrationShares
{
    public static IEnumerable<(string MemberId, IReadOnlyList<PartitionId> Partitions)> Of(ImmutableArray<JoinedMember> members, bool isCooperative)
    {
        if (members.IsEmpty)
            return [];
        var shares = members.ToDictionary(member => member.MemberId, _ => new List<PartitionId>());
        var claims = isCooperative ? Claims(members) : [];
        var most = (MigrationWorld.Topic.PartitionCount + members.Length - 1) / members.Length;
        foreach (var (partition, memberId) in claims.OrderBy(claim => claim.Key.Index))
        {
            // What its owner has too much of goes to nobody before it was given back.
            if (shares[memberId].Count < most)
                shares[memberId].Add(partition);
        }

        foreach (var partition in MigrationWorld.Partitions.Where(partition => !claims.ContainsKey(partition)))
            shares.MinBy(share => share.Value.Count).Value.Add(partition);
        return shares.Select(share => (share.Key, (IReadOnlyList<PartitionId>)share.Value));
    }

    /// <summary>Who owns what; of two that say so, the one of the later generation.</summary>
    private static Dictionary<PartitionId, string> Claims(ImmutableArray<JoinedMember> members)
    {
        var claims = new Dictionary<PartitionId, (string MemberId, int Generation)>();
        foreach (var member in members)
        {
            Assert.True(ConsumerGroupProtocolBytes.TryReadSubscription(member.Metadata.Span, out var subscription));
            foreach (var index in subscription.OwnedPartitions.SelectMany(topic => topic.Partitions))
            {
                var partition = new PartitionId(MigrationWorld.Topic.TopicId, index);
                if (!claims.TryGetValue(partition, out var other) || other.Generation < subscription.GenerationId)
                    claims[partition] = (member.MemberId, subscription.GenerationId);
            }
        }

        return claims.ToDictionary(claim => claim.Key, claim => claim.Value.MemberId);
    }
}

using System.Collections.Immutable;
using Granary.Abstractions.Groups;

namespace Granary.Unit.Groups;

/// <summary>How a leader shares the partitions out among those that joined; a share is a byte for each of its partitions.</summary>
internal static class ClassicShares
{
    public static IEnumerable<MemberAssignment> Eager(ImmutableArray<JoinedMember> members, int partitions) => members.Select((member, index) => new MemberAssignment(
        member.MemberId,
        Enumerable.Range(0, partitions).Where(partition => partition % members.Length == index).Select(partition => (byte)partition).ToArray()));

    /// <summary>
    /// As cooperative-sticky: everybody keeps what it owns, up to an even share; what nobody owns goes to who has fewest. What somebody has too much of is
    /// given to nobody before its owner has joined again without it.
    /// </summary>
    public static IEnumerable<MemberAssignment> Cooperative(ImmutableArray<JoinedMember> members, int partitions)
    {
        // Who follows shares nothing out.
        if (members.IsEmpty)
            return [];
        var owned = members.Select(member => member.Metadata.ToArray()[ClassicClient.Subscribed("t0").Length..]).ToArray();
        var claimed = owned.SelectMany(own => own).ToHashSet();
        var (share, more) = (partitions / members.Length, partitions % members.Length);
        var (kept, taken) = (new List<byte>[members.Length], new HashSet<byte>());
        foreach (var (place, own) in owned.Index().OrderByDescending(member => member.Item.Length))
        {
            var most = share + (more > 0 && own.Length > share ? 1 : 0);
            kept[place] = [.. own.Where(taken.Add).Take(most)];
            more -= kept[place].Count > share ? 1 : 0;
        }

        for (byte partition = 0; partition < partitions; partition++)
        {
            if (!claimed.Contains(partition))
                kept.MinBy(some => some.Count)!.Add(partition);
        }

        return members.Select((member, place) => new MemberAssignment(member.MemberId, kept[place].ToArray()));
    }
}

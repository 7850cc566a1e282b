using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>What an assignor is told of a member.</summary>
/// <param name="Topics">What it is subscribed to; only topics that exist. Members with equal subscriptions should share one set.</param>
/// <param name="Current">What the last target assignment gave it; some of that may no longer exist, or no longer be subscribed to.</param>
internal sealed record AssignorMember(string MemberId, string? InstanceId, IReadOnlySet<Guid> Topics, IReadOnlyCollection<PartitionId> Current)
{
    /// <summary>Ties are broken by it: a static member that comes back with another member id keeps its place.</summary>
    public string Order => InstanceId ?? MemberId;
}

/// <summary>Makes a target assignment: every partition of a topic that somebody is subscribed to goes to exactly one of its subscribers.</summary>
/// <param name="partitionCounts">By topic id.</param>
/// <returns>The partitions of every member, in order of topic and index.</returns>
internal delegate Dictionary<string, PartitionId[]> Assignor(IReadOnlyList<AssignorMember> members, IReadOnlyDictionary<Guid, int> partitionCounts);

/// <summary>The assignors of the server's side, by the names of `group.consumer.assignors`.</summary>
internal static class ConsumerGroupAssignors
{
    private static readonly Dictionary<string, Assignor> s_byName = new(StringComparer.Ordinal)
    {
        [UniformAssignor.Name] = UniformAssignor.Assign,
        [RangeAssignor.Name] = RangeAssignor.Assign,
    };

    public static IEnumerable<string> Names => s_byName.Keys;

    /// <summary>For a group none of whose members asks for one.</summary>
    public static string Default => UniformAssignor.Name;

    public static bool Knows(string name) => s_byName.ContainsKey(name);

    public static Assignor Find(string name) => s_byName[name];

    /// <summary>In one order whatever order they came in, so that every coordinator finds the same assignment.</summary>
    internal static AssignorMember[] Ordered(IReadOnlyList<AssignorMember> members) =>
        [.. members.OrderBy(member => member.Order, StringComparer.Ordinal).ThenBy(member => member.MemberId, StringComparer.Ordinal)];

    /// <summary>The one that most of these members ask for.</summary>
    public static string PreferredBy(IEnumerable<ConsumerGroupMember> members) => members
        .Where(member => member.ServerAssignor is not null && Knows(member.ServerAssignor))
        .GroupBy(member => member.ServerAssignor!, StringComparer.Ordinal)
        .OrderByDescending(votes => votes.Count()).ThenBy(votes => votes.Key, StringComparer.Ordinal)
        .FirstOrDefault()?.Key ?? Default;
}

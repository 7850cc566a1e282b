using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// Takes one member one step towards its target (KIP-848; Kafka's CurrentAssignmentBuilder). Legal transitions:
/// <list type="bullet">
/// <item>Stable or UnreleasedPartitions, the target lacks some of what it has -> UnrevokedPartitions: it is told what it keeps, its epoch stays. Only one
/// that joins has given back what it does not own without being told.</item>
/// <item>UnrevokedPartitions, it still owns some of what it must give back, or does not say -> UnrevokedPartitions; a narrower subscription adds to
/// what it must give back.</item>
/// <item>UnrevokedPartitions, it owns none of that any more -> as from Stable.</item>
/// <item>any, nothing to give back, part of the target still belongs to others -> UnreleasedPartitions at the assignment epoch, with what is free.</item>
/// <item>any, nothing to give back, all of the target is free or its own -> Stable at the assignment epoch.</item>
/// </list>
/// Other than in Kafka: there any heartbeat that does not name a partition gives it back, told or not. But one that was sent before the member has taken up
/// what it was last given names none of that either: librdkafka sends such, and others would be given what it is about to use.
/// </summary>
internal static class ConsumerGroupReconciliation
{
    /// <param name="wanted">The target, less what it is not subscribed to and what is no longer there.</param>
    /// <param name="owned">What it says it uses; null: it does not say.</param>
    /// <param name="joins">What it does not use it has given back, whatever it was told.</param>
    /// <param name="isFree">Nobody has that partition.</param>
    /// <returns>The same member where there is nothing to do.</returns>
    public static ConsumerGroupMember Step(
        ConsumerGroupMember member,
        IReadOnlySet<PartitionId> wanted,
        IReadOnlyCollection<PartitionId>? owned,
        bool joins,
        int assignmentEpoch,
        Func<PartitionId, bool> isFree)
    {
        var kept = member.Assigned.Where(wanted.Contains).ToImmutableArray();
        var surplus = member.Assigned.Where(partition => !wanted.Contains(partition)).ToImmutableArray();
        if (member.State == ConsumerGroupMemberState.UnrevokedPartitions && StillOwns(member.Revoking, owned))
        {
            return surplus.IsEmpty
                ? member
                : member with { Assigned = kept, Revoking = [.. member.Revoking.Concat(surplus).Order(PartitionOrder.Instance)] };
        }

        if (!surplus.IsEmpty && (!joins || StillOwns(surplus, owned)))
            return member with { State = ConsumerGroupMemberState.UnrevokedPartitions, Assigned = kept, Revoking = surplus };

        // What it has just given back may be its own again: then it was never anybody else's.
        var missing = wanted.Except(kept);
        var (free, unreleased) = (new List<PartitionId>(), false);
        foreach (var partition in missing)
        {
            if (isFree(partition) || member.Revoking.Contains(partition))
                free.Add(partition);
            else
                unreleased = true;
        }

        var state = unreleased ? ConsumerGroupMemberState.UnreleasedPartitions : ConsumerGroupMemberState.Stable;
        if (member.State == state && free.Count == 0 && surplus.IsEmpty && member.MemberEpoch == assignmentEpoch)
            return member;
        return member with
        {
            State = state,
            MemberEpoch = assignmentEpoch,
            Assigned = [.. kept.Concat(free).Order(PartitionOrder.Instance)],
            Revoking = [],
        };
    }

    private static bool StillOwns(ImmutableArray<PartitionId> revoked, IReadOnlyCollection<PartitionId>? owned) =>
        owned is null || (owned.Count > 0 && revoked.Intersect(owned).Any());
}

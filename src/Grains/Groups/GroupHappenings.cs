using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Grains.Placement;

namespace Granary.Grains.Groups;

/// <summary>What a group tells those who watch the cluster.</summary>
internal sealed class GroupHappenings(string groupId, ClusterJournal journal)
{
    /// <summary>The group is coordinated here from now on. Returns what it is to be compared with next.</summary>
    public (GroupState, int) Opened(ClassicGroup group)
    {
        Tell(HappeningKind.GroupOpened, group, group.State);
        return (group.State, group.Generation);
    }

    /// <summary>Tells of another state or generation than was told last; returns what is known now.</summary>
    public (GroupState, int) Changed(ClassicGroup group, (GroupState, int) told)
    {
        var now = (group.State, group.Generation);

        // Where all were here already the rebalance began and ended within one call.
        if (now != told && group.State == GroupState.CompletingRebalance && told.Item1 != GroupState.PreparingRebalance)
            Tell(HappeningKind.GroupChanged, group, GroupState.PreparingRebalance);
        if (now != told && group.State != GroupState.Dead)
            Tell(HappeningKind.GroupChanged, group, group.State);
        return now;
    }

    private void Tell(HappeningKind kind, ClassicGroup group, GroupState state) => journal.Tell(new ClusterHappening
    {
        Kind = kind,
        Group = groupId,
        GroupState = state,
        Generation = group.Generation,
        Members = group.Members.Count,
        Cause = group.Cause,
    });
}

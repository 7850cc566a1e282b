using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Grains.Placement;

namespace Granary.Grains.Groups;

/// <summary>What a group tells those who watch the cluster.</summary>
internal sealed class GroupHappenings(ClusterJournal journal)
{
    private (GroupState State, int Generation) _told;

    /// <summary>How a classic group stands.</summary>
    public static ClusterHappening Of(string groupId, ClassicGroup group) => new()
    {
        Kind = HappeningKind.GroupChanged,
        Group = groupId,
        GroupState = group.State,
        Generation = group.Generation,
        Members = group.Members.Count,
        Cause = group.Cause,
    };

    /// <summary>The group is coordinated here from now on.</summary>
    public void Opened(ClusterHappening group)
    {
        _told = (group.GroupState, group.Generation);
        journal.Tell(group with { Kind = HappeningKind.GroupOpened });
    }

    /// <summary>Tells of another state or generation than was told last.</summary>
    public void Changed(ClusterHappening group)
    {
        var (now, former) = ((group.GroupState, group.Generation), _told);
        _told = now;
        if (now == former || group.GroupState == GroupState.Dead)
            return;

        // Where all were here already the rebalance began and ended within one call.
        if (group.GroupState == GroupState.CompletingRebalance && former.State != GroupState.PreparingRebalance)
            journal.Tell(group with { GroupState = GroupState.PreparingRebalance });
        journal.Tell(group);
    }
}

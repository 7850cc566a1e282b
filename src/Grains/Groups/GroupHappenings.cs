using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Grains.Placement;

namespace Granary.Grains.Groups;

/// <summary>What a group tells those who watch the cluster.</summary>
internal sealed class GroupHappenings(ClusterJournal journal)
{
    private (GroupState, int) _told;

    /// <summary>The group is coordinated here from now on.</summary>
    public void Opened(ClusterHappening group)
    {
        _told = (group.GroupState, group.Generation);
        journal.Tell(group with { Kind = HappeningKind.GroupOpened });
    }

    /// <summary>Tells of another state or generation than was told last.</summary>
    public void Changed(ClusterHappening group)
    {
        var now = (group.GroupState, group.Generation);
        if (now != _told && group.GroupState != GroupState.Dead)
            journal.Tell(group);
        _told = now;
    }
}

using Granary.Abstractions.Groups;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>What happened in schedules of <see cref="MigrationWorld"/>: one in which nothing of that happens proves nothing.</summary>
internal sealed class MigrationTallies
{
    /// <summary>Classic groups with members that a consumer member has joined.</summary>
    public int Upgrades { get; set; }

    /// <summary>Of those, while they rebalanced.</summary>
    public int UpgradesMidway { get; set; }

    /// <summary>Groups in which only classic members were left.</summary>
    public int Downgrades { get; private set; }

    /// <summary>Of those, while a member was on its way to its target.</summary>
    public int DowngradesMidway { get; private set; }

    /// <summary>Members of those that could commit still, and were told to join.</summary>
    public int Called { get; set; }

    public int Crashes { get; set; }

    /// <summary>Commits that were accepted.</summary>
    public int Commits { get; set; }

    /// <summary>Commits at an epoch or generation that was over.</summary>
    public int Refused { get; set; }

    public void CountDowngrade(ConsumerGroup group)
    {
        Downgrades++;
        DowngradesMidway += group.Members.Any(member => member.State != ConsumerGroupMemberState.Stable) ? 1 : 0;
    }

    public void Add(MigrationTallies other)
    {
        Upgrades += other.Upgrades;
        UpgradesMidway += other.UpgradesMidway;
        Downgrades += other.Downgrades;
        DowngradesMidway += other.DowngradesMidway;
        Called += other.Called;
        Crashes += other.Crashes;
        Commits += other.Commits;
        Refused += other.Refused;
    }

    public override string ToString() =>
        $"{Upgrades} upgrades, {UpgradesMidway} midway; {Downgrades} downgrades, {DowngradesMidway} midway, {Called} called; {Crashes} crashes, {Commits} commits, {Refused} refused";
}

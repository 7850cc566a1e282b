using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Grains.Placement;

namespace Granary.Grains.Partitions;

/// <summary>What a silo's partitions tell those who watch the cluster; those that a silo practises with tell nothing.</summary>
internal sealed class PartitionHappenings(ClusterJournal journal, RehearsalTopic rehearsal)
{
    public void Opened(PartitionId partition, OpenLog log, TimeSpan took, string cause)
    {
        PartitionMetrics.OpeningTook(took, cause);
        Tell(new ClusterHappening
        {
            Kind = HappeningKind.PartitionOpened,
            Partition = partition,
            LeaderEpoch = log.Offsets.LeaderEpoch,
            Took = took,
            Cause = cause,
        });
    }

    public void FirstAppend(PartitionId partition, OpenLog log) => Tell(new ClusterHappening
    {
        Kind = HappeningKind.FirstAppend,
        Partition = partition,
        LeaderEpoch = log.Offsets.LeaderEpoch,
        Took = journal.Time.GetElapsedTime(log.OpenedAt),
    });

    /// <param name="cause">One of <see cref="HappeningCause"/>, or another word.</param>
    public void Closed(PartitionId partition, int leaderEpoch, string cause)
    {
        if (cause == HappeningCause.Moved)
            PartitionMetrics.Migrated("out");
        Tell(new ClusterHappening { Kind = HappeningKind.PartitionClosed, Partition = partition, LeaderEpoch = leaderEpoch, Cause = cause });
    }

    /// <summary>Why a log is opened.</summary>
    public static string CauseOf(bool isReopened, bool cameAlong) => isReopened ? HappeningCause.Reopened : cameAlong ? HappeningCause.Moved : HappeningCause.Placed;

    /// <summary>A partition that was handed over is open here.</summary>
    /// <param name="gap">Since it was closed where it came from, by two clocks.</param>
    public static void MovedIn(TimeSpan gap)
    {
        PartitionMetrics.Migrated("in");
        PartitionMetrics.MigrationGap(gap > TimeSpan.Zero ? gap : TimeSpan.Zero);
    }

    private void Tell(ClusterHappening happening)
    {
        if (!rehearsal.Holds(happening.Partition))
            journal.Tell(happening);
    }
}

namespace Granary.Grains.Groups;

/// <summary>Limits and times of groups, with Kafka's names where it has one; section <c>Granary:Groups</c>. Checked at start by <see cref="Validate"/>.</summary>
public sealed class GroupOptions
{
    /// <summary>The calls that wait for members give up a little later than this.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(30);

    /// <summary>group.min.session.timeout.ms. Shorter ones are refused. Too small lets clients ask for rebalances at every pause of theirs.</summary>
    public TimeSpan MinSessionTimeout { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>group.max.session.timeout.ms. Longer ones are refused. Too large lets a dead member keep its partitions for as long.</summary>
    public TimeSpan MaxSessionTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>A member that asks for a longer rebalance timeout (max.poll.interval.ms) gets this one: how long a member that does not come holds all up.</summary>
    public TimeSpan MaxRebalanceTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>group.initial.rebalance.delay.ms: how long an empty group waits for more members. Too small: a rebalance for each of them. Zero: none.</summary>
    public TimeSpan InitialRebalanceDelay { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>A new member whose join is not answered for so long is forgotten: it has no id to beat its heart with, so nobody can tell whether it lives.</summary>
    public TimeSpan NewMemberJoinTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>group.max.size: members of one group. One more is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxMembers { get; set; } = 10_000;

    /// <summary>Ids given to members that have not joined with them yet, in one group. One more is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxPendingMembers { get; set; } = 10_000;

    /// <summary>Protocols (assignors) that one member may offer. More are refused with INVALID_REQUEST.</summary>
    public int MaxProtocols { get; set; } = 64;

    /// <summary>Bytes of metadata of one member, all its protocols together. More are refused with INVALID_REQUEST.</summary>
    public int MaxMetadataBytes { get; set; } = 1 << 20;

    /// <summary>
    /// Bytes in which one group is kept: its members with their metadata and assignments. It is saved as a whole. A join that would add to it beyond that is
    /// refused with GROUP_MAX_SIZE_REACHED, a leader's assignments with UNKNOWN_SERVER_ERROR, which is what Kafka answers when a group is too large to be written.
    /// </summary>
    public int MaxGroupBytes { get; set; } = 32 << 20;

    /// <summary>Groups of the cluster that members or positions are kept of. One more is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxGroups { get; set; } = 100_000;

    /// <summary>Partitions that one group keeps positions of, in memory as well. One more is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxOffsets { get; set; } = 1_000_000;

    /// <summary>offset.metadata.max.bytes: what a client may write beside a position. More is refused with OFFSET_METADATA_TOO_LARGE.</summary>
    public int MaxOffsetMetadataBytes { get; set; } = 4096;

    /// <summary>Resets of one group that its history keeps; the oldest is forgotten for one more.</summary>
    public int MaxResetHistory { get; set; } = 100;

    /// <summary>offsets.retention.minutes: how long positions are kept after the group is empty, or after the commit where the group never had members.</summary>
    public TimeSpan OffsetsRetention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>offsets.retention.check.interval.ms: how often it is looked for positions that are no longer kept, and for groups that are on the wrong silo.</summary>
    public TimeSpan ExpiryInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Groups expired or moved at a time, and partitions asked for their end at a time.</summary>
    public int ConcurrentCalls { get; set; } = 16;

    /// <summary>Positions of one group whose lag is asked for when the group is described, a call each; the lag of the others is not told.</summary>
    public int MaxLagsDescribed { get; set; } = 10_000;

    /// <summary>How often members, positions and lag are measured for the metrics.</summary>
    public TimeSpan MeasureInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Groups, and positions of all groups together, that a silo measures; the others are left out of the metrics. The exporter itself takes 2,000.</summary>
    public int MaxMeasured { get; set; } = 1_000;

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate() =>
        Checks().Where(check => !check.Holds).Select(check => $"{check.Name} is {check.Value}: {check.Wanted} is wanted.");

    private IEnumerable<(bool Holds, string Name, object Value, string Wanted)> Checks() =>
    [
        (MinSessionTimeout > TimeSpan.Zero, nameof(MinSessionTimeout), MinSessionTimeout, "positive"),
        (MaxSessionTimeout >= MinSessionTimeout, nameof(MaxSessionTimeout), MaxSessionTimeout, "at least MinSessionTimeout"),
        (MaxSessionTimeout <= s_longest, nameof(MaxSessionTimeout), MaxSessionTimeout, "at most 30 minutes"),
        (MaxRebalanceTimeout > TimeSpan.Zero && MaxRebalanceTimeout <= s_longest, nameof(MaxRebalanceTimeout), MaxRebalanceTimeout, "positive and at most 30 minutes"),
        (InitialRebalanceDelay >= TimeSpan.Zero && InitialRebalanceDelay <= s_longest, nameof(InitialRebalanceDelay), InitialRebalanceDelay, "0 to 30 minutes"),
        (NewMemberJoinTimeout > TimeSpan.Zero, nameof(NewMemberJoinTimeout), NewMemberJoinTimeout, "positive"),
        (MaxMembers >= 1, nameof(MaxMembers), MaxMembers, "at least 1"),
        (MaxPendingMembers >= 1, nameof(MaxPendingMembers), MaxPendingMembers, "at least 1"),
        (MaxProtocols >= 1, nameof(MaxProtocols), MaxProtocols, "at least 1"),
        (MaxMetadataBytes >= 1024, nameof(MaxMetadataBytes), MaxMetadataBytes, "at least 1 KB"),
        (MaxGroupBytes >= MaxMetadataBytes, nameof(MaxGroupBytes), MaxGroupBytes, "at least MaxMetadataBytes"),
        (MaxGroups >= 1, nameof(MaxGroups), MaxGroups, "at least 1"),
        (MaxOffsets >= 1, nameof(MaxOffsets), MaxOffsets, "at least 1"),
        (MaxOffsetMetadataBytes >= 0, nameof(MaxOffsetMetadataBytes), MaxOffsetMetadataBytes, "not negative"),
        (MaxResetHistory >= 1, nameof(MaxResetHistory), MaxResetHistory, "at least 1"),
        (OffsetsRetention > TimeSpan.Zero, nameof(OffsetsRetention), OffsetsRetention, "positive"),
        (ExpiryInterval > TimeSpan.Zero, nameof(ExpiryInterval), ExpiryInterval, "positive"),
        (MeasureInterval > TimeSpan.Zero, nameof(MeasureInterval), MeasureInterval, "positive"),
        (MaxMeasured is >= 0 and <= 2_000, nameof(MaxMeasured), MaxMeasured, "0 to 2000"),
        (MaxLagsDescribed >= 0, nameof(MaxLagsDescribed), MaxLagsDescribed, "not negative"),
        (ConcurrentCalls >= 1, nameof(ConcurrentCalls), ConcurrentCalls, "at least 1"),
    ];
}

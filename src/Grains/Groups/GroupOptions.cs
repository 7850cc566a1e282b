namespace Granary.Grains.Groups;

/// <summary>Limits and times of groups, with Kafka's names where it has one; section <c>Granary:Groups</c>. Checked at start by <see cref="Validate"/>.</summary>
public sealed class GroupOptions
{
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
    /// Bytes of metadata, and of assignments, of one group; it is saved as a whole. A member beyond it is refused with GROUP_MAX_SIZE_REACHED, a
    /// leader's assignments with UNKNOWN_SERVER_ERROR, which is what Kafka answers when a group is too large to be written.
    /// </summary>
    public int MaxGroupBytes { get; set; } = 32 << 20;

    /// <summary>Groups of the cluster that members or positions are kept of. One more is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxGroups { get; set; } = 100_000;

    /// <summary>Partitions that one group keeps positions of, in memory as well. One more is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxOffsets { get; set; } = 1_000_000;

    /// <summary>offset.metadata.max.bytes: what a client may write beside a position. More is refused with OFFSET_METADATA_TOO_LARGE.</summary>
    public int MaxOffsetMetadataBytes { get; set; } = 4096;

    /// <summary>offsets.retention.minutes: how long positions are kept after the group is empty, or after the commit where the group never had members.</summary>
    public TimeSpan OffsetsRetention { get; set; } = TimeSpan.FromDays(7);

    /// <summary>offsets.retention.check.interval.ms: how often it is looked for positions that are no longer kept, and for groups that are on the wrong silo.</summary>
    public TimeSpan ExpiryInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Groups expired or moved at a time, and partitions asked for their end at a time.</summary>
    public int ConcurrentCalls { get; set; } = 16;

    /// <summary>Throws <see cref="InvalidOperationException"/> naming the first value that cannot work.</summary>
    public void Validate()
    {
        Check(MinSessionTimeout > TimeSpan.Zero, nameof(MinSessionTimeout), "positive");
        Check(MaxSessionTimeout >= MinSessionTimeout, nameof(MaxSessionTimeout), "at least MinSessionTimeout");
        Check(MaxSessionTimeout <= s_longest, nameof(MaxSessionTimeout), "at most 30 minutes");
        Check(MaxRebalanceTimeout > TimeSpan.Zero && MaxRebalanceTimeout <= s_longest, nameof(MaxRebalanceTimeout), "positive and at most 30 minutes");
        Check(InitialRebalanceDelay >= TimeSpan.Zero && InitialRebalanceDelay <= s_longest, nameof(InitialRebalanceDelay), "0 to 30 minutes");
        Check(NewMemberJoinTimeout > TimeSpan.Zero, nameof(NewMemberJoinTimeout), "positive");
        Check(MaxMembers >= 1, nameof(MaxMembers), "at least 1");
        Check(MaxPendingMembers >= 1, nameof(MaxPendingMembers), "at least 1");
        Check(MaxProtocols >= 1, nameof(MaxProtocols), "at least 1");
        Check(MaxMetadataBytes >= 1024, nameof(MaxMetadataBytes), "at least 1 KB");
        Check(MaxGroupBytes >= MaxMetadataBytes, nameof(MaxGroupBytes), "at least MaxMetadataBytes");
        Check(MaxGroups >= 1, nameof(MaxGroups), "at least 1");
        Check(MaxOffsets >= 1, nameof(MaxOffsets), "at least 1");
        Check(MaxOffsetMetadataBytes >= 0, nameof(MaxOffsetMetadataBytes), "not negative");
        Check(OffsetsRetention > TimeSpan.Zero, nameof(OffsetsRetention), "positive");
        Check(ExpiryInterval > TimeSpan.Zero, nameof(ExpiryInterval), "positive");
        Check(ConcurrentCalls >= 1, nameof(ConcurrentCalls), "at least 1");
    }

    // The calls that wait for members give up a little later than that.
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(30);

    private static void Check(bool holds, string name, string range)
    {
        if (!holds)
            throw new InvalidOperationException($"GroupOptions.{name} must be {range}.");
    }
}

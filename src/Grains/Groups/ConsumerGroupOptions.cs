namespace Granary.Grains.Groups;

/// <summary>Limits and times of groups of the consumer protocol (KIP-848).</summary>
public sealed record ConsumerGroupOptions
{
    /// <summary>
    /// group.consumer.session.timeout.ms: how long a member may be silent before it is removed. Too small: a pause of garbage collection costs
    /// a rebalance; too large: a dead member's partitions stand still for as long.
    /// </summary>
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>
    /// group.consumer.heartbeat.interval.ms, as told to a member that has what it shall have. It learns of a change with its next heartbeat, so this
    /// is the larger part of a rebalance; a heartbeat that changes nothing ends at the member's own grain and costs the group nothing. Kafka's default is 5 s.
    /// </summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The same, as told to a member that waits for partitions or has to give some back.</summary>
    public TimeSpan ReconcilingHeartbeatInterval { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// How long a member's grain may answer alone after it last asked the group: less than <see cref="SessionTimeout"/>, so that a member whose grain
    /// cannot be reached has stopped being answered when the group gives its partitions away.
    /// </summary>
    internal TimeSpan GroupCheckInterval => SessionTimeout / 3;

    /// <summary>
    /// group.consumer.assignment.interval.ms: the least time between two target assignments, so that a thousand members that join at a time do not
    /// make a thousand of them. The first change after a quiet time never waits.
    /// </summary>
    public TimeSpan AssignmentInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>group.consumer.max.size. Beyond it a new member is refused with GROUP_MAX_SIZE_REACHED.</summary>
    public int MaxMembers { get; set; } = 10_000;

    /// <summary>
    /// Bytes in which one group is kept: its members with their subscriptions and partitions, the target assignment, the topics. It is saved as a whole at
    /// each change. A heartbeat that would add to it beyond that, a join or a longer subscription, is refused with GROUP_MAX_SIZE_REACHED. What topics that
    /// grow add to assignments is not refused: that is bounded by the partitions there are.
    /// </summary>
    public int MaxGroupBytes { get; set; } = 32 << 20;

    /// <summary>Topics a member may name. Beyond it its heartbeat is refused with INVALID_REQUEST.</summary>
    public int MaxSubscribedTopics { get; set; } = 10_000;

    /// <summary>Characters of a member id, an instance id or a rack id. Beyond it a heartbeat is refused with INVALID_REQUEST.</summary>
    public int MaxIdLength { get; set; } = 255;

    /// <summary>Partitions a heartbeat may say it owns. Beyond it it is refused with INVALID_REQUEST.</summary>
    public int MaxOwnedPartitions { get; set; } = 100_000;

    /// <summary>Characters of a regular expression. Beyond it a heartbeat is refused with INVALID_REGULAR_EXPRESSION.</summary>
    public int MaxRegexLength { get; set; } = 512;

    /// <summary>The product of a regular expression's counted repeats, `(a{10}){10}` being 100; RE2's limit is the same. Beyond it: INVALID_REGULAR_EXPRESSION.</summary>
    public int MaxRegexRepeats { get; set; } = 1_000;

    /// <summary>
    /// group.consumer.migration.policy: Disabled, Upgrade, Downgrade or Bidirectional. What is not allowed: a consumer member that would join a classic group
    /// with members is refused with GROUP_ID_NOT_FOUND; a group of which only classic members are left goes on with the consumer protocol, for them too.
    /// The default is Kafka's: services are moved from one protocol to the other one process at a time, and back again when they must be rolled back,
    /// so that either way has to be open without a setting that somebody must think of first.
    /// </summary>
    public ConsumerGroupMigrationPolicy MigrationPolicy { get; set; } = ConsumerGroupMigrationPolicy.Bidirectional;

    /// <summary>group.max.rebalance.timeout, in effect: a member that asks for more time to revoke gets this.</summary>
    public TimeSpan MaxRebalanceTimeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>What is wrong with these settings, a sentence each.</summary>
    public IEnumerable<string> Validate()
    {
        if (HeartbeatInterval <= TimeSpan.Zero || HeartbeatInterval >= SessionTimeout)
            yield return $"{nameof(HeartbeatInterval)} must be more than nothing and less than {nameof(SessionTimeout)}.";
        if (ReconcilingHeartbeatInterval <= TimeSpan.Zero || ReconcilingHeartbeatInterval > HeartbeatInterval)
            yield return $"{nameof(ReconcilingHeartbeatInterval)} must be more than nothing and not more than {nameof(HeartbeatInterval)}.";
        if (AssignmentInterval < TimeSpan.Zero)
            yield return $"{nameof(AssignmentInterval)} must not be negative.";
        if (MaxRebalanceTimeout <= TimeSpan.Zero)
            yield return $"{nameof(MaxRebalanceTimeout)} must be more than nothing.";
        if (!Enum.IsDefined(MigrationPolicy))
            yield return $"{nameof(MigrationPolicy)} is {MigrationPolicy}: {string.Join(", ", Enum.GetNames<ConsumerGroupMigrationPolicy>())} are the ones there are.";
        if (MaxGroupBytes < 1024)
            yield return $"{nameof(MaxGroupBytes)} must be at least 1024.";
        foreach (var (name, value) in new[]
        {
            (nameof(MaxMembers), MaxMembers),
            (nameof(MaxSubscribedTopics), MaxSubscribedTopics),
            (nameof(MaxIdLength), MaxIdLength),
            (nameof(MaxOwnedPartitions), MaxOwnedPartitions),
            (nameof(MaxRegexLength), MaxRegexLength),
            (nameof(MaxRegexRepeats), MaxRegexRepeats),
        })
        {
            if (value < 1)
                yield return $"{name} must be at least 1.";
        }
    }
}

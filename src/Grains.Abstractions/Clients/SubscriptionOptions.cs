using Granary.Abstractions.Groups;

namespace Granary.Abstractions.Clients;

/// <summary>
/// How a <see cref="LogConsumer"/> is a member of a group. Names in parentheses are Kafka's. The callbacks are awaited inside of
/// <see cref="LogConsumer.ReadAsync"/>, between two records: whatever was given out before is moved past. What they throw, ReadAsync throws.
/// </summary>
public sealed record SubscriptionOptions
{
    /// <summary>Where to start in a partition that the group keeps no offset of (auto.offset.reset).</summary>
    public OffsetReset Start { get; set; } = OffsetReset.Earliest;

    /// <summary>
    /// How often what was given and moved past is committed (auto.commit.interval.ms), and also before partitions are given back and on leaving;
    /// null: only what <see cref="LogConsumer.CommitAsync(CancellationToken)"/> is asked for. Short ones cost calls, long ones are read again after a crash.
    /// </summary>
    public TimeSpan? AutoCommitInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the reader may keep a record before it comes back for the next, or be away after its reading ended, and so how long giving back may take
    /// (max.poll.interval.ms). A member that takes longer loses its partitions and joins again when it comes back. Too small: slow work is done twice; too large: a
    /// stuck reader keeps its partitions from others for so long.
    /// </summary>
    public TimeSpan MaxProcessingTime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A name that stays the same over restarts (group.instance.id): the member's partitions wait for it for a session; null: none.</summary>
    public string? InstanceId { get; set; }

    /// <summary>How partitions are shared out (group.remote.assignor): uniform or range; null: as the others want it.</summary>
    public string? Assignor { get; set; }

    /// <summary>What the group's description calls it (client.id).</summary>
    public string ClientId { get; set; } = "granary";

    /// <summary>Awaited after partitions are taken up, and before they are read: <see cref="LogConsumer.Seek"/> is possible.</summary>
    public Func<IReadOnlyCollection<TopicPartition>, Task>? Assigned { get; set; }

    /// <summary>Awaited before partitions are given back: they are still this member's, and commits of them are taken. The commit by interval comes after it.</summary>
    public Func<IReadOnlyCollection<TopicPartition>, Task>? Revoked { get; set; }

    /// <summary>Awaited after the group removed this member: others may have these partitions already, and commits of them are refused.</summary>
    public Func<IReadOnlyCollection<TopicPartition>, Task>? Lost { get; set; }

    /// <summary>Throws <see cref="ArgumentException"/> that names the property, its value and its bounds.</summary>
    public void Validate()
    {
        Check(nameof(Start), Start, Start <= OffsetReset.Throw, "Earliest, Latest or Throw");
        Check(nameof(AutoCommitInterval), AutoCommitInterval, AutoCommitInterval is null || IsTime(AutoCommitInterval.Value), "above 0, to 1 day, or null");
        Check(nameof(MaxProcessingTime), MaxProcessingTime, IsTime(MaxProcessingTime), "above 0, to 1 day");
        Check(nameof(InstanceId), InstanceId, InstanceId is null || IsId(InstanceId), $"1 to {GroupIds.MaxLength} characters, or null");
        Check(nameof(ClientId), ClientId, ClientId.Length <= GroupIds.MaxLength, $"to {GroupIds.MaxLength} characters");
    }

    internal static bool IsId(string id) => !GroupIds.IsBlank(id) && GroupIds.Refuse(id) is null;

    private static bool IsTime(TimeSpan time) => time > TimeSpan.Zero && time <= TimeSpan.FromDays(1);

    private static void Check(string name, object? value, bool holds, string bounds)
    {
        if (!holds)
            throw new ArgumentException($"SubscriptionOptions.{name} is {value}; allowed: {bounds}", name);
    }
}

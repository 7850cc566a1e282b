using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Groups;

/// <summary>Where a position is to go; what lies outside of a log is brought to its nearer end.</summary>
public enum ResetTarget
{
    /// <summary>The log start offset.</summary>
    Earliest,

    /// <summary>The high watermark.</summary>
    Latest,

    /// <summary>The offset that <see cref="ResetSpec.Value"/> names.</summary>
    Offset,

    /// <summary>The first record of that time or later, <see cref="ResetSpec.Value"/> in milliseconds since 1970; the high watermark where none is.</summary>
    Timestamp,

    /// <summary>As <see cref="Timestamp"/>, <see cref="ResetSpec.Value"/> milliseconds before the plan is made.</summary>
    Duration,

    /// <summary>That many offsets on from the position; negative: back.</summary>
    Shift,

    /// <summary>What the position was before a reset of the history; where it was none, it is forgotten.</summary>
    BeforeReset,
}

/// <summary>Where to, for one or many partitions.</summary>
/// <param name="Value">See <see cref="ResetTarget"/>; 0 where it needs none.</param>
/// <param name="ResetId">For <see cref="ResetTarget.BeforeReset"/> alone.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetSpec")]
public sealed record ResetSpec([property: Id(0)] ResetTarget Target, [property: Id(1)] long Value = 0, [property: Id(2)] Guid ResetId = default)
{
    public static ResetSpec Earliest { get; } = new(ResetTarget.Earliest);

    public static ResetSpec Latest { get; } = new(ResetTarget.Latest);

    public static ResetSpec ToOffset(long offset) => new(ResetTarget.Offset, offset);

    public static ResetSpec ToTimestamp(DateTimeOffset time) => new(ResetTarget.Timestamp, time.ToUnixTimeMilliseconds());

    public static ResetSpec Back(TimeSpan duration) => new(ResetTarget.Duration, (long)duration.TotalMilliseconds);

    public static ResetSpec ShiftBy(long offsets) => new(ResetTarget.Shift, offsets);

    public static ResetSpec Before(Guid resetId) => new(ResetTarget.BeforeReset, ResetId: resetId);
}

/// <summary>
/// What a spec is for. The narrowest rule that names a partition counts for it; two rules of the same width are refused.
/// </summary>
/// <param name="Topic">Null: all topics in which the group has positions, those partitions only.</param>
/// <param name="Partition">Null: all partitions of the topic, also those without a position.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetRule")]
public sealed record ResetRule([property: Id(0)] string? Topic, [property: Id(1)] int? Partition, [property: Id(2)] ResetSpec Spec);

/// <summary>Why a target was brought into its log.</summary>
public enum ResetClamp
{
    None,

    /// <summary>It lay below the log start offset, and is that now.</summary>
    ToLogStart,

    /// <summary>It lay above the high watermark, and is that now; also where no record has the asked time or a later one.</summary>
    ToHighWatermark,
}

/// <summary>One partition's part of a plan. Offsets are those of the next record to read; -1: no position.</summary>
/// <param name="Topic">Its name when the plan was made.</param>
/// <param name="From">The position that is kept now.</param>
/// <param name="To">The position that is to be kept; -1 with no error: it is to be forgotten.</param>
/// <param name="Asked">What the spec said before it was brought into the log; -1 where it names no offset.</param>
/// <param name="LeaderEpoch">What is kept beside the new position; -1: not known.</param>
/// <param name="LogStartOffset">When the plan was made; -1: not known.</param>
/// <param name="HighWatermark">When the plan was made, exclusive; -1: not known.</param>
/// <param name="Moved">What lies between the two positions, as far as the log still has it.</param>
/// <param name="Error">Not NONE: this partition cannot be reset so, and is left as it is when the plan is executed.</param>
/// <param name="Message">Why not.</param>
[GenerateSerializer, Immutable, Alias("granary.PlannedReset")]
public sealed record PlannedReset(
    [property: Id(0)] PartitionId Partition,
    [property: Id(1)] string Topic,
    [property: Id(2)] long From,
    [property: Id(3)] long To,
    [property: Id(4)] long Asked,
    [property: Id(5)] ResetClamp Clamp,
    [property: Id(6)] int LeaderEpoch,
    [property: Id(7)] long LogStartOffset,
    [property: Id(8)] long HighWatermark,
    [property: Id(9)] ResetDistance Moved,
    [property: Id(10)] ErrorCode Error,
    [property: Id(11)] string? Message);

/// <summary>
/// What would be read again, or skipped; one of the two is zero. Both are zero where the group has no position before or after: where its consumers
/// begin is then their own setting (auto.offset.reset).
/// </summary>
/// <param name="RereadRecords">Offsets; where records were compacted away or are control records, consumers see fewer.</param>
/// <param name="RereadBytes">Of whole batches, exact, as they lie in the log and are fetched; a batch in which a position lies counts whole. -1: not known.</param>
/// <param name="SkippedRecords">Offsets, as above.</param>
/// <param name="SkippedBytes">As above.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetDistance")]
public readonly record struct ResetDistance(
    [property: Id(0)] long RereadRecords, [property: Id(1)] long RereadBytes, [property: Id(2)] long SkippedRecords, [property: Id(3)] long SkippedBytes);

/// <summary>What a reset would do. Kept, executed or not, until it is forgotten for newer plans of the group or is too old.</summary>
/// <param name="Message">Why there is no plan; null where there is one.</param>
/// <param name="PlanId">Names the plan, and the reset when it has been executed.</param>
/// <param name="ActiveMembers">Members of the group when the plan was made: while it has any, it is executed only if told to.</param>
/// <param name="Partitions">By topic and partition.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetPlan")]
public sealed record ResetPlan(
    [property: Id(0)] ErrorCode Error,
    [property: Id(1)] string? Message,
    [property: Id(2)] Guid PlanId,
    [property: Id(3)] string GroupId,
    [property: Id(4)] DateTimeOffset PlannedAt,
    [property: Id(5)] int ActiveMembers,
    [property: Id(6)] ImmutableArray<PlannedReset> Partitions)
{
    public static ResetPlan Refuse(string groupId, ErrorCode error, string message) => new(error, message, Guid.Empty, groupId, default, 0, []);
}

/// <summary>Who executes a plan, and with what leave.</summary>
/// <param name="By">Who; kept in the history, and bounded.</param>
/// <param name="Why">Kept in the history, and bounded.</param>
/// <param name="EvenIfActive">
/// Also while the group has members. Those go on from their own position, of which they commit what they reach: the reset counts for a partition only
/// from when it is assigned anew (its member left, rejoined or died), and only if nobody has committed over it until then.
/// </param>
/// <param name="EvenIfMoved">Also when positions are no longer those that the plan began from; they are put where the plan said.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetExecution")]
public sealed record ResetExecution(
    [property: Id(0)] Guid PlanId,
    [property: Id(1)] string By,
    [property: Id(2)] string Why,
    [property: Id(3)] bool EvenIfActive = false,
    [property: Id(4)] bool EvenIfMoved = false);

/// <summary>Why a reset did not happen.</summary>
public enum ResetRefusal
{
    /// <summary>It happened.</summary>
    None,

    /// <summary>There is no such plan (any more): make a new one.</summary>
    UnknownPlan,

    /// <summary>The group's positions are not those that the plan began from, or a commit is under way.</summary>
    StalePlan,

    /// <summary>The group has members.</summary>
    ActiveMembers,

    /// <summary>See the error and the message.</summary>
    Other,
}

/// <summary>One partition's change. -1: no position.</summary>
[GenerateSerializer, Immutable, Alias("granary.ResetChange")]
public readonly record struct ResetChange(
    [property: Id(0)] PartitionId Partition, [property: Id(1)] long From, [property: Id(2)] long To, [property: Id(3)] int LeaderEpoch);

/// <summary>
/// What became of a reset. Executing a plan again that was executed already answers with what it did then, and changes nothing: a caller whose answer
/// was lost may ask again.
/// </summary>
/// <param name="Error">NON_EMPTY_GROUP with <see cref="ResetRefusal.ActiveMembers"/>, INVALID_REQUEST with a plan that is unknown or stale.</param>
/// <param name="Message">Null where it happened.</param>
/// <param name="Done">Null where it did not happen.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetResult")]
public sealed record ResetResult(
    [property: Id(0)] ResetRefusal Refusal, [property: Id(1)] ErrorCode Error, [property: Id(2)] string? Message, [property: Id(3)] RecordedReset? Done)
{
    public static ResetResult Refuse(ResetRefusal refusal, ErrorCode error, string message) => new(refusal, error, message, null);
}

/// <summary>A reset in the history of a group.</summary>
/// <param name="At">By the clock of the coordinator.</param>
[GenerateSerializer, Immutable, Alias("granary.RecordedReset")]
public sealed record RecordedReset(
    [property: Id(0)] Guid ResetId,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] string By,
    [property: Id(3)] string Why,
    [property: Id(4)] bool WhileActive,
    [property: Id(5)] ImmutableArray<ResetChange> Changes);

/// <param name="Resets">Newest first.</param>
[GenerateSerializer, Immutable, Alias("granary.ResetHistory")]
public sealed record ResetHistory([property: Id(0)] ErrorCode Error, [property: Id(1)] string? Message, [property: Id(2)] ImmutableArray<RecordedReset> Resets);

/// <summary>Positions to put, all or none, as the coordinator is told by <see cref="IGroupResetGrain"/>.</summary>
/// <param name="Changes">Checked against what is kept, unless <paramref name="EvenIfMoved"/>.</param>
[GenerateSerializer, Immutable, Alias("granary.OffsetReset")]
public sealed record OffsetReset(
    [property: Id(0)] Guid ResetId,
    [property: Id(1)] string By,
    [property: Id(2)] string Why,
    [property: Id(3)] bool EvenIfActive,
    [property: Id(4)] bool EvenIfMoved,
    [property: Id(5)] ImmutableArray<ResetChange> Changes);

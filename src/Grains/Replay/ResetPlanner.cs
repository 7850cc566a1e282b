using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Replay;

/// <summary>What a partition has told.</summary>
/// <param name="Found">The offset found by time; -1: none is so late; null: none was asked for.</param>
internal readonly record struct LogFacts(long LogStartOffset, long HighWatermark, long? Found);

/// <summary>Where one partition's position goes, and what lies between. Pure; bytes are filled in by who can measure them.</summary>
internal static class ResetPlanner
{
    /// <summary>The time by which an offset is to be found; null where the spec needs none.</summary>
    public static long? TimeOf(ResetSpec spec, long nowMs) => spec.Target switch
    {
        ResetTarget.Timestamp => spec.Value,
        ResetTarget.Duration => Math.Max(0, nowMs - spec.Value),
        _ => null,
    };

    /// <param name="from">-1: no position.</param>
    /// <param name="before">For <see cref="ResetTarget.BeforeReset"/>: the change that the history has of this partition; null: it has none.</param>
    public static PlannedReset Plan(in ResetPart part, long from, LogFacts log, ResetChange? before)
    {
        var plan = new PlannedReset(
            part.Partition, part.Topic, from, from, -1, ResetClamp.None, -1, log.LogStartOffset, log.HighWatermark, default, ErrorCode.None, null);
        switch (part.Spec.Target)
        {
            case ResetTarget.Shift when from < 0:
                return plan with { Error = ErrorCode.InvalidRequest, Message = "there is no position to shift" };
            case ResetTarget.BeforeReset when before is null:
                return plan with { Error = ErrorCode.InvalidRequest, Message = $"reset {part.Spec.ResetId} is not in the history, or did not change this partition" };
            case ResetTarget.BeforeReset when before.Value.From < 0:
                return plan with { To = -1 };
        }

        var asked = part.Spec.Target switch
        {
            ResetTarget.Earliest => log.LogStartOffset,
            ResetTarget.Latest => log.HighWatermark,
            ResetTarget.Offset => part.Spec.Value,
            ResetTarget.Shift => Shift(from, part.Spec.Value),
            ResetTarget.BeforeReset => before!.Value.From,
            _ => log.Found ?? -1,
        };
        var isLate = part.Spec.Target is ResetTarget.Timestamp or ResetTarget.Duration && asked < 0;
        var to = isLate ? log.HighWatermark : Math.Clamp(asked, log.LogStartOffset, log.HighWatermark);
        var clamp = isLate || asked > to ? ResetClamp.ToHighWatermark : asked < to ? ResetClamp.ToLogStart : ResetClamp.None;
        return plan with { To = to, Asked = asked, Clamp = clamp, Moved = Distance(from, to, log) };
    }

    /// <summary>The offsets between the two positions that the log has; null where there are none.</summary>
    public static (long StartOffset, long EndOffset)? Between(long from, long to, LogFacts log)
    {
        if (from < 0 || to < 0)
            return null;
        var (here, there) = (Math.Clamp(from, log.LogStartOffset, log.HighWatermark), Math.Clamp(to, log.LogStartOffset, log.HighWatermark));
        return here == there ? null : (Math.Min(here, there), Math.Max(here, there));
    }

    /// <summary>With the bytes that were measured between the two positions; -1: not known.</summary>
    public static PlannedReset WithBytes(PlannedReset plan, long bytes) => plan with
    {
        Moved = plan.Moved.RereadRecords > 0 ? plan.Moved with { RereadBytes = bytes } : plan.Moved with { SkippedBytes = bytes },
    };

    private static ResetDistance Distance(long from, long to, LogFacts log)
    {
        if (Between(from, to, log) is not var (start, end))
            return default;
        return to < from ? new ResetDistance(end - start, -1, 0, 0) : new ResetDistance(0, 0, end - start, -1);
    }

    /// <summary>Beyond what a long holds is beyond any log.</summary>
    private static long Shift(long from, long by)
    {
        if (by < 0)
            return Math.Max(0, from + by);
        return by > long.MaxValue - from ? long.MaxValue : from + by;
    }
}

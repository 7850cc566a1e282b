namespace Granary.Grains.Replay;

/// <summary>Limits of resets; section <c>Granary:Replay</c>. Checked at start by <see cref="Validate"/>.</summary>
public sealed class ReplayOptions
{
    /// <summary>Rules of one plan. More are refused with INVALID_REQUEST.</summary>
    public int MaxRules { get; set; } = 10_000;

    /// <summary>Partitions of one plan; it is kept, and recorded, as a whole. More are refused with INVALID_REQUEST.</summary>
    public int MaxPartitions { get; set; } = 10_000;

    /// <summary>Plans of one group that are kept; the oldest is forgotten for one more. Too small: a plan is gone before it is executed.</summary>
    public int MaxPlans { get; set; } = 8;

    /// <summary>How long a plan can be executed. Too large: it says sizes of a log that has long changed.</summary>
    public TimeSpan PlanLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Characters of who resets and why, each. More are refused with INVALID_REQUEST.</summary>
    public int MaxNoteLength { get; set; } = 1_000;

    /// <summary>Partitions asked at a time for one plan.</summary>
    public int ConcurrentCalls { get; set; } = 16;

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        (string Name, object Value, bool Holds)[] checks =
        [
            (nameof(MaxRules), MaxRules, MaxRules >= 1),
            (nameof(MaxPartitions), MaxPartitions, MaxPartitions >= 1),
            (nameof(MaxPlans), MaxPlans, MaxPlans >= 1),
            (nameof(PlanLifetime), PlanLifetime, PlanLifetime > TimeSpan.Zero),
            (nameof(MaxNoteLength), MaxNoteLength, MaxNoteLength >= 1),
            (nameof(ConcurrentCalls), ConcurrentCalls, ConcurrentCalls >= 1),
        ];
        return checks.Where(check => !check.Holds).Select(check => $"{check.Name} is {check.Value}: more is wanted.");
    }
}

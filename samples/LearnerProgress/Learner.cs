namespace Granary.LearnerProgress;

/// <summary>What is kept of one learner, in one write with the places in the log up to which it is true.</summary>
[GenerateSerializer, Alias("sample.Learner")]
public sealed class Learner
{
    [Id(0)]
    public int Events { get; set; }

    [Id(1)]
    public int LessonsCompleted { get; set; }

    /// <summary>The offset after the last event that counted, by partition.</summary>
    [Id(2)]
    public Dictionary<int, long> NextOffsets { get; set; } = [];
}

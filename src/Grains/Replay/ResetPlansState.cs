using Granary.Abstractions.Groups;

namespace Granary.Grains.Replay;

/// <summary>What grain storage keeps: the newest plans, newest first, executed or not.</summary>
[GenerateSerializer, Alias("granary.ResetPlansState")]
public sealed class ResetPlansState
{
    [Id(0)]
    public List<ResetPlan> Plans { get; set; } = [];
}

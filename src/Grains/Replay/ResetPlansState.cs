using Granary.Abstractions.Groups;

namespace Granary.Grains.Replay;

/// <summary>What grain storage keeps: plans that were not executed yet, newest first.</summary>
[GenerateSerializer, Alias("granary.ResetPlansState")]
public sealed class ResetPlansState
{
    [Id(0)]
    public List<ResetPlan> Plans { get; set; } = [];
}

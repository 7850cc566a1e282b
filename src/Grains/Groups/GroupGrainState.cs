namespace Granary.Grains.Groups;

/// <summary>What grain storage keeps of a group, beside its positions.</summary>
[GenerateSerializer, Alias("granary.GroupGrainState")]
public sealed class GroupGrainState
{
    /// <summary>Null: no member of the classic protocol has ever been here.</summary>
    [Id(0)]
    public ClassicGroupState? Classic { get; set; }
}

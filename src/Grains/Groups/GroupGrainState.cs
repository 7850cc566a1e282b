namespace Granary.Grains.Groups;

/// <summary>What grain storage keeps of a group, beside its positions.</summary>
[GenerateSerializer, Alias("granary.GroupGrainState")]
public sealed class GroupGrainState
{
    /// <summary>Null: no member of the classic protocol has ever been here.</summary>
    [Id(0)]
    public ClassicGroupState? Classic { get; set; }

    /// <summary>Null: the group is one of the classic protocol, or has never had members.</summary>
    [Id(1)]
    public ConsumerGroupState? Consumer { get; set; }

    /// <summary>Since when a group of the consumer protocol has had no members, by the clock; null: it has some.</summary>
    [Id(2)]
    public DateTimeOffset? ConsumerEmptySince { get; set; }
}

using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>What is kept of a <see cref="ClassicGroup"/>.</summary>
[GenerateSerializer, Alias("granary.ClassicGroupState")]
public sealed class ClassicGroupState
{
    [Id(0)]
    public GroupState State { get; set; }

    [Id(1)]
    public int Generation { get; set; }

    [Id(2)]
    public string ProtocolType { get; set; } = "";

    [Id(3)]
    public string? ProtocolName { get; set; }

    [Id(4)]
    public string? LeaderId { get; set; }

    [Id(5)]
    public List<ClassicMemberState> Members { get; set; } = [];

    /// <summary>Since when there has been nobody, by the clock; null: there is somebody, or never was.</summary>
    [Id(6)]
    public DateTimeOffset? EmptySince { get; set; }

    /// <summary>The group epoch at which the group came over from the consumer protocol: the next generation is above it. 0: it did not.</summary>
    [Id(7)]
    public int GroupEpoch { get; set; }
}

/// <summary>A member as it is kept; deadlines are not.</summary>
[GenerateSerializer, Immutable, Alias("granary.ClassicMemberState")]
public sealed record ClassicMemberState(
    [property: Id(0)] string MemberId,
    [property: Id(1)] string? InstanceId,
    [property: Id(2)] string ClientId,
    [property: Id(3)] string ClientHost,
    [property: Id(4)] TimeSpan SessionTimeout,
    [property: Id(5)] TimeSpan RebalanceTimeout,
    [property: Id(6)] List<GroupProtocol> Protocols,
    [property: Id(7)] ReadOnlyMemory<byte> Assignment);

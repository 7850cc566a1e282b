using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// What is kept of a group of the consumer protocol. Deadlines are not: after a restore every member has its whole session again, as after a
/// coordinator's move in Kafka.
/// </summary>
[GenerateSerializer, Alias("granary.ConsumerGroupState")]
public sealed class ConsumerGroupState
{
    /// <summary>Grows with every change of members, subscriptions or topics.</summary>
    [Id(0)]
    public int GroupEpoch { get; set; }

    /// <summary>The group epoch that <see cref="Targets"/> was made for.</summary>
    [Id(1)]
    public int AssignmentEpoch { get; set; }

    [Id(2)]
    public string Assignor { get; set; } = "";

    [Id(3)]
    public List<ConsumerGroupMember> Members { get; set; } = [];

    [Id(4)]
    public List<ConsumerGroupTarget> Targets { get; set; } = [];

    /// <summary>The subscribed topics as they were for <see cref="Targets"/>.</summary>
    [Id(5)]
    public List<ConsumerGroupTopic> Topics { get; set; } = [];
}

[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupTarget")]
public sealed record ConsumerGroupTarget([property: Id(0)] string MemberId, [property: Id(1)] ImmutableArray<PartitionId> Partitions);

[GenerateSerializer, Immutable, Alias("granary.ConsumerGroupTopic")]
public sealed record ConsumerGroupTopic([property: Id(0)] string Name, [property: Id(1)] Guid TopicId, [property: Id(2)] int PartitionCount);

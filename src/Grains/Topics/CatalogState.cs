using Granary.Abstractions.Topics;

namespace Granary.Grains.Topics;

/// <summary>What is kept of the catalog: all topics, and which logs of deleted topics still have to go.</summary>
[GenerateSerializer, Alias("granary.CatalogState")]
public sealed class CatalogState
{
    /// <summary>Grows by one with every change.</summary>
    [Id(0)]
    public long Version { get; set; }

    [Id(1)]
    public List<TopicDescription> Topics { get; set; } = [];

    /// <summary>Deleted topics whose partitions' logs are not all deleted yet.</summary>
    [Id(2)]
    public List<DeletedTopic> Deleting { get; set; } = [];

    /// <summary>Another one with every save: tells whose save it is that lies there.</summary>
    [Id(3)]
    public Guid SaveId { get; set; }
}

/// <summary>A deleted topic, and how many logs it had.</summary>
[GenerateSerializer, Immutable, Alias("granary.DeletedTopic")]
public sealed record DeletedTopic([property: Id(0)] Guid TopicId, [property: Id(1)] int PartitionCount);

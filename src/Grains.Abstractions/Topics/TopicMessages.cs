using System.Collections.Immutable;

namespace Granary.Abstractions.Topics;

/// <summary>A topic as it stands. <paramref name="Overrides"/>: the configs that were set on it, by Kafka's names, as Kafka writes them.</summary>
/// <param name="Version">The catalog's version that last changed it; grows with every change of the catalog.</param>
/// <param name="CreatedVersion">The catalog's version that created it: topics in the order of their creation.</param>
[GenerateSerializer, Immutable, Alias("granary.TopicDescription")]
public sealed record TopicDescription(
    [property: Id(0)] string Name,
    [property: Id(1)] Guid TopicId,
    [property: Id(2)] int PartitionCount,
    [property: Id(3)] ImmutableDictionary<string, string> Overrides,
    [property: Id(4)] long Version,
    [property: Id(5)] bool IsInternal = false,
    [property: Id(6)] long CreatedVersion = 0);

/// <param name="PartitionCount">1 or more; -1: the cluster's num.partitions.</param>
/// <param name="ReplicationFactor">Any value from 1, or -1: PostgreSQL keeps the copies, so it is checked and reported as 1.</param>
[GenerateSerializer, Immutable, Alias("granary.NewTopic")]
public sealed record NewTopic(
    [property: Id(0)] string Name,
    [property: Id(1)] int PartitionCount,
    [property: Id(2)] ImmutableDictionary<string, string?> Configs,
    [property: Id(3)] short ReplicationFactor = -1,
    [property: Id(4)] bool IsInternal = false)
{
    /// <summary>A topic as the cluster's settings have it.</summary>
    public static NewTopic ByDefault(string name) => new(name, -1, ImmutableDictionary<string, string?>.Empty);
}

/// <summary>Names a topic by name, or by id where the name is null.</summary>
[GenerateSerializer, Immutable, Alias("granary.TopicName")]
public sealed record TopicName([property: Id(0)] string? Name, [property: Id(1)] Guid TopicId = default);

/// <param name="PartitionCount">How many there shall be in all.</param>
[GenerateSerializer, Immutable, Alias("granary.NewPartitions")]
public sealed record NewPartitions([property: Id(0)] string Name, [property: Id(1)] int PartitionCount);

/// <summary>Kafka's IncrementalAlterConfigs operations.</summary>
public enum ConfigOperation : sbyte
{
    Set = 0,
    Delete = 1,
    Append = 2,
    Subtract = 3,
}

[GenerateSerializer, Immutable, Alias("granary.ConfigChange")]
public sealed record ConfigChange([property: Id(0)] string Name, [property: Id(1)] ConfigOperation Operation, [property: Id(2)] string? Value);

/// <param name="ReplaceAll">True (Kafka's AlterConfigs): what is not named goes back to its default.</param>
[GenerateSerializer, Immutable, Alias("granary.TopicConfigChanges")]
public sealed record TopicConfigChanges(
    [property: Id(0)] string Name,
    [property: Id(1)] ImmutableArray<ConfigChange> Changes,
    [property: Id(2)] bool ReplaceAll);

/// <param name="Error">None, or why the topic was left as it was.</param>
/// <param name="Message">What was wrong: field, value, limit. Null when nothing was.</param>
/// <param name="Topic">The topic after the change (as it was, for a deletion; as it would be, for a validation); null with an error.</param>
[GenerateSerializer, Immutable, Alias("granary.TopicResult")]
public sealed record TopicResult(
    [property: Id(0)] string? Name,
    [property: Id(1)] ErrorCode Error,
    [property: Id(2)] string? Message,
    [property: Id(3)] TopicDescription? Topic);

/// <param name="Version">The catalog's version after these changes: what to pass to the next watch.</param>
/// <param name="Topics">Topics created or changed since the known version; all of them where <paramref name="IsComplete"/>.</param>
/// <param name="Deleted">Ids of topics deleted since the known version (none where <paramref name="IsComplete"/>).</param>
/// <param name="IsComplete">True: this is the whole catalog, and what is not in it does not exist.</param>
/// <param name="DefaultPartitionCount">num.partitions: what -1 in <see cref="NewTopic"/> stands for.</param>
[GenerateSerializer, Immutable, Alias("granary.CatalogChanges")]
public sealed record CatalogChanges(
    [property: Id(0)] long Version,
    [property: Id(1)] ImmutableArray<TopicDescription> Topics,
    [property: Id(2)] ImmutableArray<Guid> Deleted,
    [property: Id(3)] bool IsComplete,
    [property: Id(4)] int DefaultPartitionCount = 1);

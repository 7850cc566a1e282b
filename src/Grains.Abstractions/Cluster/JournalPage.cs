using System.Collections.Immutable;

namespace Granary.Abstractions.Cluster;

/// <summary>What a silo has to tell since it was last asked.</summary>
/// <param name="ReceivedAt">When the question came, by the silo's clock; with <paramref name="AnsweredAt"/> the asker can tell how far the clocks are apart.</param>
/// <param name="AnsweredAt">When the answer went.</param>
/// <param name="LastId">What to ask from the next time.</param>
/// <param name="Missed">True: the journal no longer holds all that came after the id that was asked for.</param>
/// <param name="Traffic">Sums since the silo's start.</param>
[GenerateSerializer, Immutable, Alias("granary.JournalPage")]
public sealed record JournalPage(
    [property: Id(0)] DateTimeOffset ReceivedAt,
    [property: Id(1)] DateTimeOffset AnsweredAt,
    [property: Id(2)] ImmutableArray<ClusterHappening> Happenings,
    [property: Id(3)] long LastId,
    [property: Id(4)] bool Missed,
    [property: Id(5)] SiloTraffic Traffic);

/// <param name="Successes">Appends and reads with records that the silo's partitions have answered.</param>
/// <param name="Errors">Those that they refused.</param>
/// <param name="Topics">Empty where it was not asked for.</param>
[GenerateSerializer, Immutable, Alias("granary.SiloTraffic")]
public readonly record struct SiloTraffic(
    [property: Id(0)] long Successes, [property: Id(1)] long Errors, [property: Id(2)] ImmutableArray<TopicTraffic> Topics);

/// <summary>What went in and out of a topic's partitions on one silo. Empty id: topics beyond the silo's maximum, together.</summary>
[GenerateSerializer, Immutable, Alias("granary.TopicTraffic")]
public readonly record struct TopicTraffic(
    [property: Id(0)] Guid TopicId, [property: Id(1)] long RecordsIn, [property: Id(2)] long BytesIn, [property: Id(3)] long BytesOut);

/// <summary>What became of a request to drain.</summary>
public enum DrainAnswer
{
    /// <summary>The silo hands over what it has, and ends.</summary>
    Begun,

    /// <summary>It was asked before.</summary>
    AlreadyDraining,
}

using System.Collections.Immutable;
using Granary.Abstractions.Records;

namespace Granary.Grains.Partitions;

/// <summary>What a partition takes along when it moves to another silo: its newest batches. All else is in PostgreSQL, so it may be lost.</summary>
/// <param name="EndOffset">Exclusive end of the last batch; -1: there is none.</param>
/// <param name="LeftAt">When the partition was closed where it came from, by that silo's clock: milliseconds since 1970; 0: not known.</param>
[GenerateSerializer, Immutable, Alias("granary.PartitionLuggage")]
internal sealed record PartitionLuggage([property: Id(0)] long EndOffset, [property: Id(1)] ImmutableArray<PackedBatch> Batches, [property: Id(2)] long LeftAt = 0)
{
    /// <summary>Its name among what Orleans carries.</summary>
    public const string Key = "granary.tail";

    public static PartitionLuggage Empty { get; } = new(-1, []);

    public static PartitionLuggage Of(List<(long BaseOffset, long EndOffset, ReadOnlyMemory<byte> Bytes)> newest) => newest.Count == 0
        ? Empty
        : new(newest[^1].EndOffset, [.. newest.Select(batch => new PackedBatch(batch.BaseOffset, batch.EndOffset, RecordBytes.Of([batch.Bytes])))]);
}

/// <param name="BaseOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive.</param>
[GenerateSerializer, Immutable, Alias("granary.PackedBatch")]
internal readonly record struct PackedBatch([property: Id(0)] long BaseOffset, [property: Id(1)] long EndOffset, [property: Id(2)] RecordBytes Bytes);

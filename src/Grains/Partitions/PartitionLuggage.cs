using System.Collections.Immutable;
using Granary.Abstractions.Records;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>
/// What a partition takes along when it moves to another silo: its newest batches, and its producers' states. All of it is in PostgreSQL too, or
/// can be made from what is there, so it may be lost.
/// </summary>
/// <param name="EndOffset">Exclusive end of the last batch; -1: there is none.</param>
/// <param name="Producers">Null: those of a log that was not open for writing.</param>
/// <param name="LeftAt">When the partition was closed where it came from, by that silo's clock: milliseconds since 1970; 0: not known.</param>
[GenerateSerializer, Immutable, Alias("granary.PartitionLuggage")]
internal sealed record PartitionLuggage(
    [property: Id(0)] long EndOffset,
    [property: Id(1)] ImmutableArray<PackedBatch> Batches,
    [property: Id(2)] CarriedProducers? Producers,
    [property: Id(3)] long LeftAt = 0)
{
    /// <summary>Its name among what Orleans carries.</summary>
    public const string Key = "granary.tail";

    public static PartitionLuggage Of(List<(long BaseOffset, long EndOffset, ReadOnlyMemory<byte> Bytes)> newest, CarriedProducers? producers) => new(
        newest.Count == 0 ? -1 : newest[^1].EndOffset,
        [.. newest.Select(batch => new PackedBatch(batch.BaseOffset, batch.EndOffset, RecordBytes.Of([batch.Bytes])))],
        producers);
}

/// <param name="BaseOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive.</param>
[GenerateSerializer, Immutable, Alias("granary.PackedBatch")]
internal readonly record struct PackedBatch([property: Id(0)] long BaseOffset, [property: Id(1)] long EndOffset, [property: Id(2)] RecordBytes Bytes);

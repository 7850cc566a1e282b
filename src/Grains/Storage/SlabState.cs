namespace Granary.Grains.Storage;

/// <summary>A slab as the keeper sees it.</summary>
/// <param name="ClosedAt">Null: open.</param>
/// <param name="LiveBytes">Payload of the segments that lie in it.</param>
/// <param name="LiveSegments">Those segments, active ones included.</param>
/// <param name="TableBytes">What the table takes on disk, without its index.</param>
internal readonly record struct SlabState(
    int Id, int Family, DateTime CreatedAt, DateTime? ClosedAt, long LiveBytes, long LiveSegments, long TableBytes);

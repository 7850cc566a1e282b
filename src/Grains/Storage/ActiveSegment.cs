namespace Granary.Grains.Storage;

/// <summary>
/// The segment that a partition appends to, as its head row carries it. <see cref="SlabId"/> 0: there is none, the next batch begins one.
/// </summary>
internal readonly record struct ActiveSegment(int SlabId, long BaseOffset, long SizeBytes, long MaxTimestamp, DateTime CreatedAt)
{
    public static ActiveSegment None => new(0, 0, 0, -1, DateTime.UnixEpoch);

    public bool Exists => SlabId != 0;

    public static ActiveSegment Begin(int slabId, in StagedBatch batch, DateTime now) =>
        new(slabId, batch.BaseOffset, batch.Bytes.Length, batch.MaxTimestamp, now);

    public ActiveSegment With(in StagedBatch batch) =>
        this with { SizeBytes = SizeBytes + batch.Bytes.Length, MaxTimestamp = Math.Max(MaxTimestamp, batch.MaxTimestamp) };

    /// <summary>Whether the segment ends before <paramref name="next"/>: it would grow too large, is too old, or its slab is no longer the current one.</summary>
    public bool ClosesBefore(in StagedBatch next, int currentSlab, DateTime now)
    {
        if (!Exists)
            return false;
        return SlabId != currentSlab
            || SizeBytes + next.Bytes.Length > next.Limits.SizeBytes
            || now - CreatedAt > next.Limits.Age;
    }
}

/// <summary>A segment that a flush closes; its row is written in the flush's transaction. <paramref name="EndOffset"/> is exclusive.</summary>
internal readonly record struct ClosedSegment(int PartitionId, ActiveSegment Segment, long EndOffset);

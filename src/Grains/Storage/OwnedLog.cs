using Granary.Abstractions.Partitions;

namespace Granary.Grains.Storage;

/// <summary>
/// An ownership of a partition in PostgreSQL. Its queue fields belong to its lane's lock, its head fields to the lane's worker, which is the
/// only one that appends; whatever else changes the head row in the database is noticed by the fence.
/// </summary>
internal sealed class OwnedLog(PartitionId partition, int id, int leaderEpoch, long nextOffset, ActiveSegment active)
    : OwnedPartition(partition, leaderEpoch)
{
    private const int RememberedReads = 8;

    private readonly long[] _readEnds = [-1, -1, -1, -1, -1, -1, -1, -1];
    private int _readEndTurn;
    private volatile bool _broken;
    private volatile SegmentSpan[] _spans = [];
    private volatile SegmentSpan? _written;

    /// <summary>The number that stands for the partition in every row.</summary>
    public int Id { get; } = id;

    /// <summary>After a write under it failed nothing more is written.</summary>
    public bool IsBroken => _broken;

    // Lane's lock.
    public long QueuedEnd { get; set; } = nextOffset;

    public int QueuedCount { get; set; }

    public int QueuedFamily { get; set; }

    public bool RefusedForLoad { get; set; }

    // Lane's worker.
    public long NextOffset { get; set; } = nextOffset;

    public ActiveSegment Active { get; set; } = active;

    /// <summary>Where the segments lie that were read last; never a statement about segments that are not in it.</summary>
    public SegmentSpan[] Spans
    {
        get => _spans;
        set => _spans = value;
    }

    /// <summary>The segment that this ownership appended to last, up to where that was committed; null before the first append.</summary>
    public SegmentSpan? Written => _written;

    /// <summary>Payload of a row when the partition was read last: how many rows a query has to ask for.</summary>
    public int ReadRowBytes { get; set; } = BatchChunks.MaxBytes;

    public void Break() => _broken = true;

    /// <summary>A flush was committed. Lane's worker; before the batches' readers hear of it.</summary>
    public void Wrote(ActiveSegment active, long endOffset)
    {
        Active = active;
        _written = new SegmentSpan(active.SlabId, active.BaseOffset, endOffset);
    }

    /// <summary>The span's slab is gone.</summary>
    public void Forget(SegmentSpan span) => Interlocked.CompareExchange(ref _written, null, span);

    /// <summary>Remembers where a read ended, so that the reader that goes on there is known for one in order.</summary>
    public void NoteReadEnd(long offset) => _readEnds[Interlocked.Increment(ref _readEndTurn) & (RememberedReads - 1)] = offset;

    public bool EndedReadAt(long offset) => Array.IndexOf(_readEnds, offset) >= 0;
}

/// <summary>Where a run of offsets lies. <paramref name="EndOffset"/> is exclusive. What it says never changes, but its slab may be dropped.</summary>
internal sealed record SegmentSpan(int SlabId, long BaseOffset, long EndOffset)
{
    public bool Holds(long offset) => offset >= BaseOffset && offset < EndOffset;
}

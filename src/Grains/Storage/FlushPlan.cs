namespace Granary.Grains.Storage;

/// <summary>
/// What one group commit writes: batches of many partitions of one slab family, grouped by partition, partitions in ascending
/// order of id (so that two writers that meet on the same heads lock them in the same order, and a partition's rows lie together).
/// </summary>
internal sealed class FlushPlan
{
    private readonly Dictionary<int, PartitionFlush> _byId = [];

    public List<PartitionFlush> Partitions { get; } = [];

    /// <summary>Segments that the flush closes; each counts only where its partition is claimed.</summary>
    public List<ClosedSegment> Closed { get; } = [];

    /// <summary>Batches of an owner beside which a later owner of the same partition stands in the same flush: fenced without asking.</summary>
    public List<PendingAppend> Superseded { get; } = [];

    public int SlabId { get; private set; }

    public long PayloadBytes { get; private set; }

    public int BatchCount { get; private set; }

    public void Build(List<PendingAppend> appends, int slabId, DateTime now)
    {
        Clear();
        SlabId = slabId;
        foreach (var append in appends)
            Add(append);
        Partitions.AddRange(_byId.Values);
        Partitions.Sort(static (a, b) => a.Owner.Id.CompareTo(b.Owner.Id));
        foreach (var partition in Partitions)
        {
            partition.Lay(slabId, now, Closed);
            for (var append = partition.First; append is not null; append = append.Next)
            {
                BatchCount++;
                PayloadBytes += append.Batch.Bytes.Length;
            }
        }
    }

    /// <summary>Lets go of every batch: a plan is kept for the next flush, its batches must not be.</summary>
    public void Clear()
    {
        _byId.Clear();
        Partitions.Clear();
        Closed.Clear();
        Superseded.Clear();
        PayloadBytes = 0;
        BatchCount = 0;
    }

    private void Add(PendingAppend append)
    {
        append.Next = null;
        if (!_byId.TryGetValue(append.Owner.Id, out var known))
        {
            _byId.Add(append.Owner.Id, new PartitionFlush(append.Owner, append));
        }
        else if (known.Owner == append.Owner)
        {
            known.Chain(append);
        }
        else if (append.Owner.LeaderEpoch < known.Owner.LeaderEpoch)
        {
            Superseded.Add(append);
        }
        else
        {
            for (var old = known.First; old is not null; old = old.Next)
                Superseded.Add(old);
            _byId[append.Owner.Id] = new PartitionFlush(append.Owner, append);
        }
    }
}

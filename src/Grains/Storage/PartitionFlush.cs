namespace Granary.Grains.Storage;

/// <summary>One partition's part of a flush: its batches in order, and its head row before and after.</summary>
internal sealed class PartitionFlush(OwnedLog owner, PendingAppend first)
{
    public OwnedLog Owner { get; } = owner;

    public PendingAppend First { get; } = first;

    public PendingAppend Last { get; private set; } = first;

    /// <summary>The head's next offset that the fence asks for.</summary>
    public long ExpectedOffset => First.Batch.BaseOffset;

    /// <summary>The head's next offset afterwards.</summary>
    public long EndOffset => Last.Batch.EndOffset;

    /// <summary>The head's segment that the fence asks for.</summary>
    public ActiveSegment Before { get; } = owner.Active;

    /// <summary>The head's segment afterwards.</summary>
    public ActiveSegment After { get; private set; } = owner.Active;

    /// <summary>Whether PostgreSQL found the head as expected.</summary>
    public bool Claimed { get; set; }

    public void Chain(PendingAppend append)
    {
        Last.Next = append;
        Last = append;
    }

    /// <summary>Puts every batch into a segment; says which segments end on the way.</summary>
    public void Lay(int slabId, DateTime now, List<ClosedSegment> closed)
    {
        for (var append = First; append is not null; append = append.Next)
        {
            ref readonly var batch = ref append.Batch;
            if (After.ClosesBefore(batch, slabId, now))
            {
                closed.Add(new ClosedSegment(Owner.Id, After, batch.BaseOffset));
                After = ActiveSegment.None;
            }

            After = After.Exists ? After.With(batch) : ActiveSegment.Begin(slabId, batch, now);
        }
    }
}

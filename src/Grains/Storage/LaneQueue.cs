using System.Diagnostics.CodeAnalysis;

namespace Granary.Grains.Storage;

/// <summary>
/// A lane's waiting batches, by slab family. Not synchronised: its lane's lock guards it. A partition whose retention class changes
/// stays in the old family's queue until nothing of it waits there, so that its order holds.
/// </summary>
internal sealed class LaneQueue(StorageOptions options)
{
    private readonly Queue<PendingAppend>[] _families = [.. Enumerable.Range(0, SlabFamily.Count).Select(_ => new Queue<PendingAppend>())];
    private int _turn;

    public long Bytes { get; private set; }

    public int Count { get; private set; }

    /// <summary>
    /// Queues a batch, or says why not: <see cref="AppendOutcome.Overloaded"/> where the queue is full or the batch follows one that was
    /// refused so; <see cref="AppendOutcome.NotWritten"/> where it does not follow the one before, which is its caller's defect.
    /// </summary>
    public bool TryAdd(OwnedLog owner, in StagedBatch batch, [NotNullWhen(true)] out PendingAppend? append, out AppendOutcome refusal)
    {
        append = null;
        refusal = AppendOutcome.Overloaded;
        if (batch.BaseOffset != owner.QueuedEnd)
        {
            if (!owner.RefusedForLoad || batch.BaseOffset < owner.QueuedEnd)
                refusal = AppendOutcome.NotWritten;
            return false;
        }

        var full = Count > 0 && (Bytes + batch.Bytes.Length > options.MaxQueuedBytesPerLane || Count >= options.MaxQueuedBatchesPerLane);
        owner.RefusedForLoad = full;
        if (full)
            return false;
        if (owner.QueuedCount++ == 0)
            owner.QueuedFamily = SlabFamily.Of(batch.Limits.Retention);
        owner.QueuedEnd = batch.EndOffset;
        append = new PendingAppend(owner, batch);
        _families[owner.QueuedFamily].Enqueue(append);
        Bytes += batch.Bytes.Length;
        Count++;
        return true;
    }

    /// <summary>The next flush: the next family in turn that has anything, up to the maximum.</summary>
    public bool TryTake(List<PendingAppend> into, out int family)
    {
        for (var i = 0; i < _families.Length; i++)
        {
            family = (_turn + i) % _families.Length;
            if (_families[family].Count == 0)
                continue;
            _turn = family + 1;
            TakeFlush(_families[family], into);
            return true;
        }

        family = 0;
        return false;
    }

    public void TakeAll(List<PendingAppend> into)
    {
        foreach (var queue in _families)
        {
            while (queue.Count > 0)
                into.Add(Dequeue(queue));
        }
    }

    private void TakeFlush(Queue<PendingAppend> queue, List<PendingAppend> into)
    {
        long bytes = 0;
        while (queue.TryPeek(out var next) && (bytes == 0 || bytes + next.Batch.Bytes.Length <= options.MaxFlushBytes))
        {
            bytes += next.Batch.Bytes.Length;
            into.Add(Dequeue(queue));
        }
    }

    private PendingAppend Dequeue(Queue<PendingAppend> queue)
    {
        var append = queue.Dequeue();
        append.Owner.QueuedCount--;
        Bytes -= append.Batch.Bytes.Length;
        Count--;
        return append;
    }
}

namespace Granary.Grains.Partitions;

/// <summary>
/// The newest batches of all partitions of this silo, in bounded memory; what came first goes first, whichever partition it is of. So what is kept of
/// a partition is always a run without gaps that ends at its high watermark. Safe for many threads: adding takes the cache's lock and
/// then the view's, reading only the view's.
/// </summary>
/// <param name="maxBytes">Memory that the batches keep alive, at most; 0: nothing is kept.</param>
internal sealed class TailCache(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly PinnedMemory _memory = new();
    private TailBatch? _oldest;
    private TailBatch? _newest;

    /// <summary>Memory that is kept alive now.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _memory.Bytes;
        }
    }

    /// <summary>A partition's part of the cache, empty yet.</summary>
    public TailView NewView() => new(this);

    /// <summary>Adds the batch that follows the view's last one (any batch where it is empty).</summary>
    internal void Add(TailView view, long baseOffset, long endOffset, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > maxBytes)
        {
            // It would drive out everything and then itself; what is left of the view would not end at the high watermark.
            Clear(view);
            return;
        }

        var batch = new TailBatch(view, baseOffset, endOffset, bytes);
        lock (_lock)
        {
            view.Append(batch);
            _memory.Add(bytes);
            batch.Older = _newest;
            if (_newest is null)
                _oldest = batch;
            else
                _newest.Newer = batch;
            _newest = batch;
            while (_memory.Bytes > maxBytes)
                Remove(_oldest!.View.RemoveFirst());
        }
    }

    /// <summary>Drops the view's batches that end at or before <paramref name="offset"/>.</summary>
    internal void DropBefore(TailView view, long offset)
    {
        lock (_lock)
        {
            while (view.FirstEndOffset is { } endOffset && endOffset <= offset)
                Remove(view.RemoveFirst());
        }
    }

    internal void Clear(TailView view) => DropBefore(view, long.MaxValue);

    private void Remove(TailBatch batch)
    {
        _memory.Remove(batch.Bytes);
        if (batch.Older is null)
            _oldest = batch.Newer;
        else
            batch.Older.Newer = batch.Newer;
        if (batch.Newer is null)
            _newest = batch.Older;
        else
            batch.Newer.Older = batch.Older;
        (batch.Older, batch.Newer) = (null, null);
    }
}

namespace Granary.Grains.Partitions;

/// <summary>
/// One partition's newest batches: a run without gaps. Its partition adds and reads; other partitions drive out its oldest batches from their
/// own threads.
/// </summary>
internal sealed class TailView(TailCache cache)
{
    private const int SmallestRing = 8;

    private readonly Lock _lock = new();
    private TailBatch[]? _ring;
    private int _first;
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>The first batch's base offset (inclusive) and the last one's end offset (exclusive); null where nothing is here.</summary>
    public (long BaseOffset, long EndOffset)? Range
    {
        get
        {
            lock (_lock)
                return _count == 0 ? null : (At(0).BaseOffset, At(_count - 1).EndOffset);
        }
    }

    internal long? FirstEndOffset
    {
        get
        {
            lock (_lock)
                return _count == 0 ? null : At(0).EndOffset;
        }
    }

    /// <summary>Adds the batch that follows the last one here; the memory belongs to the cache from now on.</summary>
    public void Add(long baseOffset, long endOffset, ReadOnlyMemory<byte> bytes) => cache.Add(this, baseOffset, endOffset, bytes);

    /// <summary>Drops what ends at or before <paramref name="offset"/>.</summary>
    public void DropBefore(long offset) => cache.DropBefore(this, offset);

    /// <summary>Drops everything; call when the partition goes or its log is read anew.</summary>
    public void Clear() => cache.Clear(this);

    /// <summary>
    /// Reads whole batches from the one that contains <paramref name="offset"/> on, none that begins at or above
    /// <paramref name="endOffset"/>, within <paramref name="maxBytes"/>; the first one goes beyond that unless <paramref name="strict"/>.
    /// False where the offset is not here.
    /// </summary>
    public bool TryRead(long offset, long endOffset, int maxBytes, bool strict, List<ReadOnlyMemory<byte>> into)
    {
        lock (_lock)
        {
            if (_count == 0 || offset < At(0).BaseOffset || offset >= At(_count - 1).EndOffset)
                return false;
            long bytes = 0;
            for (var i = IndexOf(offset); i < _count && At(i).BaseOffset < endOffset; i++)
            {
                var batch = At(i).Bytes;
                bytes += batch.Length;
                if (bytes > maxBytes && (strict || into.Count > 0))
                    break;
                into.Add(batch);
            }

            return true;
        }
    }

    /// <summary>The newest batches in order, at most so many bytes of them; none where the last one is larger.</summary>
    public List<(long BaseOffset, long EndOffset, ReadOnlyMemory<byte> Bytes)> Newest(int maxBytes)
    {
        lock (_lock)
        {
            long bytes = 0;
            var first = _count;
            while (first > 0 && bytes + At(first - 1).Bytes.Length <= maxBytes)
                bytes += At(--first).Bytes.Length;
            var newest = new List<(long, long, ReadOnlyMemory<byte>)>(_count - first);
            for (var i = first; i < _count; i++)
                newest.Add((At(i).BaseOffset, At(i).EndOffset, At(i).Bytes));
            return newest;
        }
    }

    internal void Append(TailBatch batch)
    {
        lock (_lock)
        {
            if (_count > 0 && At(_count - 1).EndOffset != batch.BaseOffset)
                throw new InvalidOperationException($"offset {batch.BaseOffset} does not follow {At(_count - 1).EndOffset} in the tail cache");
            if (_ring is null || _count == _ring.Length)
                Resize(Math.Max(SmallestRing, _count * 2));
            _ring![(_first + _count++) & (_ring.Length - 1)] = batch;
        }
    }

    internal TailBatch RemoveFirst()
    {
        lock (_lock)
        {
            var batch = At(0);
            _ring![_first] = null!;
            _first = (_first + 1) & (_ring.Length - 1);
            if (--_count == 0)
                (_ring, _first) = (null, 0);
            else if (_ring.Length > SmallestRing && _count * 4 <= _ring.Length)
                Resize(_ring.Length / 2);
            return batch;
        }
    }

    private TailBatch At(int index) => _ring![(_first + index) & (_ring.Length - 1)];

    /// <summary>The batch that contains an offset which is known to be here.</summary>
    private int IndexOf(long offset)
    {
        var (low, high) = (0, _count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (At(middle).BaseOffset <= offset)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    private void Resize(int length)
    {
        var ring = new TailBatch[length];
        for (var i = 0; i < _count; i++)
            ring[i] = At(i);
        (_ring, _first) = (ring, 0);
    }
}

namespace Granary.Grains.Storage;

/// <summary>
/// Reads for readers that go through history in order what they will ask for next. A reader is in order when it asks for the offset at
/// which an earlier read of the partition ended. Each block it touches has the next one loaded meanwhile. Blocks of all partitions share
/// one bound; the one that was touched longest ago goes first. A log's committed batches never change, so no block is ever wrong.
/// </summary>
internal sealed class ReadAhead(SegmentReader reader, StorageOptions options, StorageDiagnostics diagnostics)
{
    private const long MinBlockBytes = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, List<ReadAheadBlock>> _byPartition = [];
    private readonly LinkedList<ReadAheadBlock> _byTouch = new();
    private long _bytes;

    /// <summary>Memory that blocks count for now.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    public async Task<IReadOnlyList<StoredBatch>> ReadAsync(
        OwnedLog owner, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation)
    {
        var block = options.ReadAheadBytes > 0 && fromOffset < endOffset ? FindOrBegin(owner, fromOffset, endOffset) : null;
        var batches = block is null ? null : await TakeAsync(block, fromOffset, endOffset, maxBytes, cancellation);
        StorageMetrics.ReadAhead(batches is not null);
        if (batches is null)
            batches = await reader.ReadAsync(owner, fromOffset, endOffset, maxBytes, cancellation);
        else if (block!.EndOffset < endOffset)
            FindOrBegin(owner, block.EndOffset, endOffset, follows: true);
        if (batches.Count > 0)
            owner.NoteReadEnd(batches[^1].EndOffset);
        return batches;
    }

    /// <summary>Lets go of a partition's blocks.</summary>
    public void Forget(int partitionId)
    {
        lock (_lock)
        {
            if (_byPartition.TryGetValue(partitionId, out var blocks))
            {
                foreach (var block in blocks.ToArray())
                    Remove(block);
            }
        }
    }

    private async Task<List<StoredBatch>?> TakeAsync(
        ReadAheadBlock block, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation)
    {
        try
        {
            var batches = ReadAheadBlock.Slice(await block.Loading.WaitAsync(cancellation), fromOffset, endOffset, maxBytes);
            return batches.Count > 0 ? batches : null;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested && failure is not StoreUnavailableException)
        {
            diagnostics.ReadAheadFailed(failure);
            return null;
        }
    }

    private ReadAheadBlock? FindOrBegin(OwnedLog owner, long fromOffset, long endOffset, bool follows = false)
    {
        lock (_lock)
        {
            if (_byPartition.TryGetValue(owner.Id, out var blocks))
            {
                foreach (var known in blocks)
                {
                    if (!known.Holds(fromOffset))
                        continue;
                    _byTouch.Remove(known);
                    _byTouch.AddLast(known);
                    return known;
                }
            }

            if (!follows && !owner.EndedReadAt(fromOffset))
                return null;
            if (!MakeRoom())
                return null;
            var loading = new TaskCompletionSource<List<StoredBatch>>(TaskCreationOptions.RunContinuationsAsynchronously);
            var block = new ReadAheadBlock(owner.Id, fromOffset, loading.Task) { Bytes = options.ReadBlockBytes };
            Insert(block);
            _ = Task.Run(() => LoadAsync(block, loading, owner, endOffset));
            return block;
        }
    }

    private async Task LoadAsync(ReadAheadBlock block, TaskCompletionSource<List<StoredBatch>> loading, OwnedLog owner, long endOffset)
    {
        try
        {
            var batches = await reader.ReadAsync(owner, block.StartOffset, endOffset, options.ReadBlockBytes, CancellationToken.None);
            lock (_lock)
                Resize(block, batches.Sum(batch => (long)batch.Bytes.Length));
            loading.SetResult(batches);
            if (batches.Count == 0)
                Drop(block);
        }
        catch (Exception failure)
        {
            Drop(block);
            loading.SetException(failure);
            _ = loading.Task.Exception; // Seen, also where no reader waits any more.
        }
    }

    private bool MakeRoom()
    {
        while (_bytes + options.ReadBlockBytes > options.ReadAheadBytes)
        {
            var oldest = _byTouch.First;
            while (oldest is not null && !oldest.Value.IsLoaded)
                oldest = oldest.Next;
            if (oldest is null)
                return false;
            Remove(oldest.Value);
        }

        return true;
    }

    private void Insert(ReadAheadBlock block)
    {
        if (!_byPartition.TryGetValue(block.PartitionId, out var blocks))
            _byPartition.Add(block.PartitionId, blocks = []);
        blocks.Add(block);
        _byTouch.AddLast(block);
        _bytes += block.Bytes;
    }

    private void Resize(ReadAheadBlock block, long bytes)
    {
        if (!_byTouch.Contains(block))
            return;
        _bytes -= block.Bytes;
        block.Bytes = Math.Max(bytes, MinBlockBytes);
        _bytes += block.Bytes;
    }

    private void Drop(ReadAheadBlock block)
    {
        lock (_lock)
            Remove(block);
    }

    private void Remove(ReadAheadBlock block)
    {
        if (!_byTouch.Remove(block))
            return;
        _bytes -= block.Bytes;
        var blocks = _byPartition[block.PartitionId];
        blocks.Remove(block);
        if (blocks.Count == 0)
            _byPartition.Remove(block.PartitionId);
    }
}

namespace Granary.Grains.Storage;

/// <summary>A run of batches that was, or is being, read ahead.</summary>
internal sealed class ReadAheadBlock(int partitionId, long startOffset, Task<List<StoredBatch>> loading)
{
    public int PartitionId { get; } = partitionId;

    public long StartOffset { get; } = startOffset;

    public Task<List<StoredBatch>> Loading { get; } = loading;

    /// <summary>What it counts for: an estimate until it is loaded.</summary>
    public long Bytes { get; set; }

    public bool IsLoaded => Loading.IsCompletedSuccessfully;

    /// <summary>Exclusive; the start while it is loading.</summary>
    public long EndOffset => IsLoaded && Loading.Result.Count > 0 ? Loading.Result[^1].EndOffset : StartOffset;

    /// <summary>While it is loading only its start is known.</summary>
    public bool Holds(long offset) => offset == StartOffset ? !IsLoaded || EndOffset > StartOffset : offset > StartOffset && offset < EndOffset;

    /// <summary>Whole batches from the one that contains the offset on, as <see cref="IPartitionStore.ReadAsync"/> cuts them.</summary>
    public static List<StoredBatch> Slice(List<StoredBatch> batches, long fromOffset, long endOffset, int maxBytes)
    {
        var slice = new List<StoredBatch>();
        long bytes = 0;
        for (var i = FirstHolding(batches, fromOffset); i < batches.Count; i++)
        {
            var batch = batches[i];
            if (batch.EndOffset > endOffset || (slice.Count > 0 && bytes + batch.Bytes.Length > maxBytes))
                break;
            slice.Add(batch);
            bytes += batch.Bytes.Length;
        }

        return slice;
    }

    /// <summary>The index of the first batch that ends after the offset.</summary>
    private static int FirstHolding(List<StoredBatch> batches, long offset)
    {
        var (low, high) = (0, batches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (batches[middle].EndOffset <= offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}

namespace Granary.Grains.Storage;

/// <summary>
/// A batch lies in a slab as one row per chunk. A chunk is as large as fits a page of PostgreSQL in one row: 8,160 bytes of row less 24
/// of row header, 36 of the other columns and 4 of the value's length. So no row is moved to a TOAST table (that costs 1.4x).
/// </summary>
internal static class BatchChunks
{
    public const int MaxBytes = 8_096;

    /// <summary>toast_tuple_target of a slab: the largest that PostgreSQL allows.</summary>
    public const int ToastTupleTarget = 8_160;

    /// <summary>An empty batch still has one row.</summary>
    public static int Count(int batchBytes) => batchBytes <= MaxBytes ? 1 : (batchBytes + MaxBytes - 1) / MaxBytes;

    public static ReadOnlyMemory<byte> Slice(ReadOnlyMemory<byte> batch, int chunk)
    {
        var start = chunk * MaxBytes;
        return batch.Slice(start, Math.Min(MaxBytes, batch.Length - start));
    }
}

using System.Data.Common;

namespace Granary.Grains.Storage;

/// <summary>Puts the rows of a slab together again: each batch into one array of exactly its size, allocated at its first chunk.</summary>
internal sealed class BatchAssembly
{
    /// <summary>The columns that <see cref="Add"/> reads.</summary>
    public const string Columns = "base_offset, end_offset, max_timestamp, chunk, batch_bytes, data";

    private byte[]? _bytes;
    private int _filled;

    /// <summary>The batch of the last row.</summary>
    public long BaseOffset { get; private set; } = -1;

    /// <summary>The last row's chunk.</summary>
    public int Chunk { get; private set; } = -1;

    /// <summary>Whether a batch is begun and not yet whole.</summary>
    public bool IsOpen => _bytes is not null;

    /// <summary>Payload bytes of the last row.</summary>
    public int RowBytes { get; private set; }

    /// <summary>Takes the reader's row; answers the batch where the row completes it.</summary>
    public StoredBatch? Add(DbDataReader row)
    {
        var baseOffset = row.GetInt64(0);
        var chunk = row.GetInt32(3);
        if (chunk == 0)
        {
            if (_bytes is not null)
                throw new InvalidDataException($"The batch at {BaseOffset} lacks chunks after {Chunk}.");
            _bytes = GC.AllocateUninitializedArray<byte>(row.GetInt32(4));
            _filled = 0;
        }
        else if (_bytes is null || baseOffset != BaseOffset || chunk != Chunk + 1)
        {
            throw new InvalidDataException($"The batch at {baseOffset} lacks chunks before {chunk}.");
        }

        RowBytes = (int)row.GetBytes(5, 0, _bytes, _filled, _bytes.Length - _filled);
        _filled += RowBytes;
        BaseOffset = baseOffset;
        Chunk = chunk;
        if (_filled < _bytes.Length)
            return null;
        var batch = new StoredBatch(baseOffset, row.GetInt64(1), row.GetInt64(2), _bytes);
        _bytes = null;
        return batch;
    }

    /// <summary>Forgets a batch that was begun.</summary>
    public void Drop() => _bytes = null;
}

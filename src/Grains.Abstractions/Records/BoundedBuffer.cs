using System.Buffers;

namespace Granary.Abstractions.Records;

/// <summary>
/// A growing array with a limit: what decompression writes into. Once more than <paramref name="maxBytes"/> bytes are written it throws
/// <see cref="InvalidRecordBatchException"/>. Writers may ask for somewhat more room than that, as block codecs do.
/// </summary>
internal sealed class BoundedBuffer(int expectedBytes, int maxBytes) : IBufferWriter<byte>
{
    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(Math.Clamp(expectedBytes, 256, Math.Max(256, maxBytes)));

    public int Count { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Count);

    /// <summary>What is written so far, to be changed in place.</summary>
    public Span<byte> WrittenSpan => _bytes.AsSpan(0, Count);

    public void Advance(int count)
    {
        if (Count + (long)count > maxBytes)
            throw new InvalidRecordBatchException($"the records take more than the allowed {maxBytes} bytes once decompressed");
        Count += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Count);
    }

    private void EnsureRoom(int room)
    {
        var needed = Count + (long)room;
        if (needed <= _bytes.Length)
            return;

        // One byte beyond the limit is enough to notice that it is passed; a block codec's hint may need more.
        var grown = Math.Max(needed, Math.Min(_bytes.Length * 2L, maxBytes + 1L));
        if (grown > Array.MaxLength)
            throw new InvalidRecordBatchException($"the records take more than {Array.MaxLength} bytes");
        var larger = GC.AllocateUninitializedArray<byte>((int)grown);
        _bytes.AsSpan(0, Count).CopyTo(larger);
        _bytes = larger;
    }
}

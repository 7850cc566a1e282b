namespace Granary.Grains.Partitions;

/// <summary>A batch in the tail cache: a link of the chain of all batches of the silo, in the order in which they came.</summary>
internal sealed class TailBatch(TailView view, long baseOffset, long endOffset, ReadOnlyMemory<byte> bytes)
{
    public TailView View { get; } = view;

    public long BaseOffset { get; } = baseOffset;

    /// <summary>Exclusive.</summary>
    public long EndOffset { get; } = endOffset;

    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public TailBatch? Older { get; set; }

    public TailBatch? Newer { get; set; }
}

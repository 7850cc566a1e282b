using System.Buffers;
using Orleans.Concurrency;

namespace Granary.Abstractions.Records;

/// <summary>
/// Whole record batches, one after another, as the bytes that Kafka defines; in one or several pieces of memory. Inside a silo the
/// object itself is passed on; between silos its bytes are written once and read once. Whoever hands it to a grain gives it up.
/// </summary>
[Immutable]
public sealed class RecordBytes
{
    private readonly ReadOnlyMemory<byte>[] _pieces;

    public static RecordBytes Empty { get; } = new([], 0);

    public RecordBytes(ReadOnlyMemory<byte> bytes)
        : this(bytes.IsEmpty ? [] : [bytes], bytes.Length)
    {
    }

    private RecordBytes(ReadOnlyMemory<byte>[] pieces, int length)
    {
        _pieces = pieces;
        Length = length;
    }

    /// <summary>Bytes in all pieces.</summary>
    public int Length { get; }

    public bool IsEmpty => Length == 0;

    /// <summary>The pieces in order; none is empty.</summary>
    public ReadOnlySpan<ReadOnlyMemory<byte>> Pieces => _pieces;

    /// <summary>Joins pieces without copying them.</summary>
    public static RecordBytes Of(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        var kept = new List<ReadOnlyMemory<byte>>(pieces.Count);
        long length = 0;
        foreach (var piece in pieces)
        {
            if (piece.IsEmpty)
                continue;
            kept.Add(piece);
            length += piece.Length;
        }

        return kept.Count == 0 ? Empty : new RecordBytes([.. kept], checked((int)length));
    }

    /// <summary>The only piece, or a copy of all where there are several.</summary>
    public ReadOnlyMemory<byte> ToContiguous()
    {
        if (_pieces.Length == 0)
            return ReadOnlyMemory<byte>.Empty;
        if (_pieces.Length == 1)
            return _pieces[0];
        var all = GC.AllocateUninitializedArray<byte>(Length);
        CopyTo(all);
        return all;
    }

    public void CopyTo(Span<byte> destination)
    {
        foreach (var piece in _pieces)
        {
            piece.Span.CopyTo(destination);
            destination = destination[piece.Length..];
        }
    }
}

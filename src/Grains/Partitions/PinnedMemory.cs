using System.Runtime.InteropServices;

namespace Granary.Grains.Partitions;

/// <summary>
/// How much memory slices keep alive: a slice of an array keeps the whole array, which is counted once however many slices of it there are.
/// Not safe for several threads.
/// </summary>
internal sealed class PinnedMemory
{
    // Only arrays that are larger than the slice; most batches have an array of their own.
    private readonly Dictionary<byte[], int> _shared = new(ReferenceEqualityComparer.Instance);

    public long Bytes { get; private set; }

    public void Add(ReadOnlyMemory<byte> slice)
    {
        if (!IsPartOf(slice, out var array))
        {
            Bytes += slice.Length;
            return;
        }

        ref var slices = ref CollectionsMarshal.GetValueRefOrAddDefault(_shared, array, out _);
        if (slices++ == 0)
            Bytes += array.Length;
    }

    /// <summary>Undoes one <see cref="Add"/> of the same slice.</summary>
    public void Remove(ReadOnlyMemory<byte> slice)
    {
        if (!IsPartOf(slice, out var array))
        {
            Bytes -= slice.Length;
            return;
        }

        ref var slices = ref CollectionsMarshal.GetValueRefOrNullRef(_shared, array);
        if (--slices > 0)
            return;
        _shared.Remove(array);
        Bytes -= array.Length;
    }

    private static bool IsPartOf(ReadOnlyMemory<byte> slice, out byte[] array)
    {
        if (MemoryMarshal.TryGetArray(slice, out var segment) && segment.Array is { } whole && whole.Length > segment.Count)
        {
            array = whole;
            return true;
        }

        array = [];
        return false;
    }
}

using System.Buffers.Binary;

namespace Granary.Abstractions.Clients;

/// <summary>
/// The 32-bit MurmurHash2 of a key, with the seed that Kafka's clients use, so that a key lands in the same partition whoever sends it.
/// Source: Kafka's <c>Utils.murmur2</c>; the algorithm is Austin Appleby's, in the public domain.
/// </summary>
public static class Murmur2
{
    private const uint Seed = 0x9747B28C;
    private const uint Multiplier = 0x5BD1E995;

    public static int Hash(ReadOnlySpan<byte> key)
    {
        var hash = Seed ^ (uint)key.Length;
        while (key.Length >= sizeof(uint))
        {
            var word = BinaryPrimitives.ReadUInt32LittleEndian(key) * Multiplier;
            word = (word ^ (word >> 24)) * Multiplier;
            hash = (hash * Multiplier) ^ word;
            key = key[sizeof(uint)..];
        }

        if (!key.IsEmpty)
        {
            for (var i = key.Length - 1; i >= 0; i--)
                hash ^= (uint)key[i] << (8 * i);
            hash *= Multiplier;
        }

        hash = (hash ^ (hash >> 13)) * Multiplier;
        return (int)(hash ^ (hash >> 15));
    }

    /// <summary>The partition of a key, as Kafka's default partitioner has it. <paramref name="partitionCount"/>: 1 or more.</summary>
    public static int PartitionOf(ReadOnlySpan<byte> key, int partitionCount) => (Hash(key) & int.MaxValue) % partitionCount;
}

using System.Buffers.Binary;
using System.Text;

namespace Granary.Gateway.Http;

/// <summary>
/// What a classic member was assigned, out of the bytes that its group's leader wrote: Kafka's ConsumerProtocolAssignment, version (2 bytes), topics (count, then
/// name and partitions each), user data. Source: Kafka's ConsumerProtocolAssignment.json.
/// </summary>
internal static class MemberAssignment
{
    /// <returns>Nothing where the bytes are something else: groups may speak protocols of their own.</returns>
    public static IReadOnlyList<(string Topic, int Partition)> Read(ReadOnlySpan<byte> bytes)
    {
        var partitions = new List<(string, int)>();
        if (!TryTake(ref bytes, sizeof(short), out _) || !TryTakeCount(ref bytes, out var topics))
            return [];
        for (var topic = 0; topic < topics; topic++)
        {
            if (!TryTake(ref bytes, sizeof(short), out var length) || BinaryPrimitives.ReadInt16BigEndian(length) < 0
                || !TryTake(ref bytes, BinaryPrimitives.ReadInt16BigEndian(length), out var name) || !TryTakeCount(ref bytes, out var count))
                return [];
            for (var i = 0; i < count; i++)
            {
                if (!TryTake(ref bytes, sizeof(int), out var partition))
                    return [];
                partitions.Add((Encoding.UTF8.GetString(name), BinaryPrimitives.ReadInt32BigEndian(partition)));
            }
        }

        return partitions;
    }

    private static bool TryTakeCount(ref ReadOnlySpan<byte> bytes, out int count)
    {
        count = TryTake(ref bytes, sizeof(int), out var taken) ? BinaryPrimitives.ReadInt32BigEndian(taken) : -1;
        return count >= 0 && count <= bytes.Length;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int length, out ReadOnlySpan<byte> taken)
    {
        if (bytes.Length < length)
        {
            taken = default;
            return false;
        }

        taken = bytes[..length];
        bytes = bytes[length..];
        return true;
    }
}

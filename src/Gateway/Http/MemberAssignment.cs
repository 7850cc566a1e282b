using System.Buffers.Binary;
using System.Text;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Http;

/// <summary>
/// What a classic member was assigned, out of the bytes that its group's leader wrote: Kafka's ConsumerProtocolAssignment, version (2 bytes), topics (count, then
/// name and partitions each), user data. The leader may have written anything: what is made of its bytes is bounded. Source: Kafka's ConsumerProtocolAssignment.json.
/// </summary>
internal static class MemberAssignment
{
    /// <param name="most">Partitions. One is four bytes here, and with its topic's name beside it many times that in an answer.</param>
    /// <returns>Nothing where the bytes are something else: groups may speak protocols of their own. Nor where a name is none that a topic can have, or the partitions are too many.</returns>
    public static IReadOnlyList<(string Topic, int Partition)> Read(ReadOnlySpan<byte> bytes, int most)
    {
        var partitions = new List<(string, int)>();
        if (!TryTake(ref bytes, sizeof(short), out _) || !TryTakeCount(ref bytes, out var topics))
            return [];
        for (var topic = 0; topic < topics; topic++)
        {
            if (!TryTakeName(ref bytes, out var name) || !TryTakeCount(ref bytes, out var count) || count > most - partitions.Count)
                return [];
            for (var i = 0; i < count; i++)
            {
                if (!TryTake(ref bytes, sizeof(int), out var partition))
                    return [];
                partitions.Add((name, BinaryPrimitives.ReadInt32BigEndian(partition)));
            }
        }

        return partitions;
    }

    /// <summary>A topic's name, in one string for all of its partitions.</summary>
    private static bool TryTakeName(ref ReadOnlySpan<byte> bytes, out string name)
    {
        name = "";
        if (!TryTake(ref bytes, sizeof(short), out var length) || BinaryPrimitives.ReadInt16BigEndian(length) is < 0 or > TopicNames.MaxLength
            || !TryTake(ref bytes, BinaryPrimitives.ReadInt16BigEndian(length), out var taken))
            return false;
        name = Encoding.UTF8.GetString(taken);
        return TopicNames.IsValid(name);
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

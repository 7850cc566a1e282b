using System.Buffers.Binary;
using System.Text;

namespace Granary.Grains.Groups;

/// <summary>
/// The topics in a consumer's metadata (Kafka's ConsumerProtocolSubscription): a version, then an array of names. It is the one thing in there
/// that the coordinator looks at: whose positions are still in use.
/// </summary>
internal static class ClassicSubscription
{
    public const string ProtocolType = "consumer";

    /// <summary>True also where one of them is no subscription: then nobody can tell.</summary>
    public static bool AreOfTheSameTopics(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        TryReadTopics(one) is not { } first || TryReadTopics(other) is not { } second || first.ToHashSet().SetEquals(second);

    /// <summary>Null: it is no subscription.</summary>
    public static IReadOnlyCollection<string>? TryReadTopics(ReadOnlySpan<byte> metadata)
    {
        const int Head = sizeof(short) + sizeof(int);
        if (metadata.Length < Head)
            return null;
        var count = BinaryPrimitives.ReadInt32BigEndian(metadata[sizeof(short)..]);
        metadata = metadata[Head..];
        if (count < 0 || count > metadata.Length / sizeof(short))
            return null;
        var topics = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < count; index++)
        {
            if (metadata.Length < sizeof(short))
                return null;
            var length = BinaryPrimitives.ReadInt16BigEndian(metadata);
            metadata = metadata[sizeof(short)..];
            if (length < 0 || length > metadata.Length)
                return null;
            topics.Add(Encoding.UTF8.GetString(metadata[..length]));
            metadata = metadata[length..];
        }

        return topics;
    }
}

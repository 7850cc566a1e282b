using System.Buffers.Binary;
using System.Text;

namespace Granary.Grains.Groups;

/// <summary>
/// The topics in a consumer's metadata (Kafka's ConsumerProtocolSubscription): a version, then an array of names. The coordinator looks at them for
/// whose positions are still in use; and at what a member owned as it joined, should another process come in its place.
/// </summary>
internal static class ClassicSubscription
{
    public const string ProtocolType = "consumer";

    /// <summary>True also where one of them is no subscription: then nobody can tell.</summary>
    public static bool AreOfTheSameTopics(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        TryReadTopics(one) is not { } first || TryReadTopics(other) is not { } second || first.ToHashSet().SetEquals(second);

    /// <summary>
    /// Does a share lack some of what the member owned as it joined? A cooperative member then gives that back and joins once more, for others to be given it; a
    /// process that takes its place knows nothing of that, and what was given back would be nobody's until something else happens. (So it is in Kafka.)
    /// </summary>
    public static bool IsTakenFrom(ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> share)
    {
        if (!ConsumerGroupProtocolBytes.TryReadSubscription(metadata, out var subscription))
            return false;
        var owned = subscription.OwnedPartitions.SelectMany(topic => topic.Partitions.Select(index => (topic.Topic, index)));
        if (share.IsEmpty)
            return owned.Any();
        return ConsumerGroupProtocolBytes.TryReadAssignment(share, out var assignment)
            && owned.Except(assignment.Partitions.SelectMany(topic => topic.Partitions.Select(index => (topic.Topic, index)))).Any();
    }

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

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Granary.Grains.Groups;

/// <summary>Partitions of a topic that is named, as the classic protocol has them.</summary>
internal sealed record ConsumerGroupNamedPartitions(string Topic, ImmutableArray<int> Partitions);

/// <summary>A member's metadata in a JoinGroup of protocol type `consumer` (Kafka's ConsumerProtocolSubscription, versions 0 to 3).</summary>
/// <param name="OwnedPartitions">From version 1.</param>
/// <param name="GenerationId">From version 2; -1: not said.</param>
/// <param name="RackId">From version 3.</param>
internal sealed record ConsumerGroupSubscription(
    short Version,
    ImmutableArray<string> Topics,
    byte[]? UserData,
    ImmutableArray<ConsumerGroupNamedPartitions> OwnedPartitions,
    int GenerationId,
    string? RackId);

/// <summary>A member's assignment in a SyncGroup (Kafka's ConsumerProtocolAssignment, versions 0 to 3, which are alike).</summary>
internal sealed record ConsumerGroupAssignment(short Version, ImmutableArray<ConsumerGroupNamedPartitions> Partitions, byte[]? UserData);

/// <summary>
/// The bytes of the embedded consumer protocol. A newer version is read as version 3, what follows is left unread: each version only adds to the
/// one before it. What is cut short, or counts more than it can hold, is no metadata.
/// </summary>
internal static class ConsumerGroupProtocolBytes
{
    public const short HighestVersion = 3;

    public static bool TryReadSubscription(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ConsumerGroupSubscription? subscription)
    {
        subscription = null;
        var reader = new Reader(bytes);
        var version = reader.Int16();
        var topics = new string[reader.Count(atLeastBytes: 2)];
        for (var place = 0; place < topics.Length; place++)
            topics[place] = reader.String() ?? reader.Fail("");
        var userData = reader.Bytes();
        var owned = version >= 1 ? reader.Partitions() : [];
        var generationId = version >= 2 ? reader.Int32() : -1;
        var rackId = version >= 3 ? reader.String() : null;
        if (reader.Failed || version < 0)
            return false;
        subscription = new ConsumerGroupSubscription(version, [.. topics], userData, owned, generationId, rackId);
        return true;
    }

    public static byte[] Write(ConsumerGroupSubscription subscription)
    {
        var written = new List<byte>();
        Put16(written, subscription.Version);
        Put32(written, subscription.Topics.Length);
        foreach (var topic in subscription.Topics)
            PutString(written, topic);
        PutBytes(written, subscription.UserData);
        if (subscription.Version >= 1)
            PutPartitions(written, subscription.OwnedPartitions);
        if (subscription.Version >= 2)
            Put32(written, subscription.GenerationId);
        if (subscription.Version >= 3)
            PutString(written, subscription.RackId);
        return [.. written];
    }

    public static bool TryReadAssignment(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ConsumerGroupAssignment? assignment)
    {
        assignment = null;
        var reader = new Reader(bytes);
        var version = reader.Int16();
        var partitions = reader.Partitions();
        var userData = reader.Bytes();
        if (reader.Failed || version < 0)
            return false;
        assignment = new ConsumerGroupAssignment(version, partitions, userData);
        return true;
    }

    public static byte[] Write(ConsumerGroupAssignment assignment)
    {
        var written = new List<byte>();
        Put16(written, assignment.Version);
        PutPartitions(written, assignment.Partitions);
        PutBytes(written, assignment.UserData);
        return [.. written];
    }

    private static void PutPartitions(List<byte> written, ImmutableArray<ConsumerGroupNamedPartitions> topics)
    {
        Put32(written, topics.Length);
        foreach (var (topic, partitions) in topics)
        {
            PutString(written, topic);
            Put32(written, partitions.Length);
            foreach (var partition in partitions)
                Put32(written, partition);
        }
    }

    private static void Put16(List<byte> written, short value) => written.AddRange([(byte)(value >> 8), (byte)value]);

    private static void Put32(List<byte> written, int value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(four, value);
        written.AddRange(four);
    }

    private static void PutString(List<byte> written, string? text)
    {
        if (text is null)
        {
            Put16(written, -1);
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        Put16(written, checked((short)bytes.Length));
        written.AddRange(bytes);
    }

    private static void PutBytes(List<byte> written, byte[]? bytes)
    {
        Put32(written, bytes?.Length ?? -1);
        written.AddRange(bytes ?? []);
    }

    /// <summary>Once something is missing, all that follows reads as nothing.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public bool Failed { get; private set; }

        public short Int16() => Take(2) is { Length: 2 } two ? BinaryPrimitives.ReadInt16BigEndian(two) : (short)0;

        public int Int32() => Take(4) is { Length: 4 } four ? BinaryPrimitives.ReadInt32BigEndian(four) : 0;

        /// <summary>The number of what follows; never more than the rest could hold.</summary>
        public int Count(int atLeastBytes)
        {
            var count = Int32();
            if (count >= 0 && (long)count * atLeastBytes <= _rest.Length)
                return count;
            Failed = true;
            return 0;
        }

        public string? String()
        {
            var length = Int16();
            if (length == -1)
                return null;
            if (length < 0)
                return Fail("");
            return Encoding.UTF8.GetString(Take(length));
        }

        public byte[]? Bytes()
        {
            var length = Int32();
            if (length == -1 || Failed)
                return null;
            return length < 0 ? Fail(Array.Empty<byte>()) : Take(length).ToArray();
        }

        public ImmutableArray<ConsumerGroupNamedPartitions> Partitions()
        {
            var topics = ImmutableArray.CreateBuilder<ConsumerGroupNamedPartitions>();
            for (var more = Count(atLeastBytes: 6); more > 0 && !Failed; more--)
            {
                var topic = String() ?? Fail("");
                var partitions = new int[Count(atLeastBytes: 4)];
                for (var place = 0; place < partitions.Length; place++)
                    partitions[place] = Int32();
                topics.Add(new ConsumerGroupNamedPartitions(topic, [.. partitions]));
            }

            return topics.ToImmutable();
        }

        public T Fail<T>(T nothing)
        {
            Failed = true;
            return nothing;
        }

        private ReadOnlySpan<byte> Take(int length)
        {
            if (Failed || _rest.Length < length)
            {
                Failed = true;
                return default;
            }

            var taken = _rest[..length];
            _rest = _rest[length..];
            return taken;
        }
    }
}

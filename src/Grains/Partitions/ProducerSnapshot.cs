using System.Buffers.Binary;
using Granary.Abstractions.Records;

namespace Granary.Grains.Partitions;

/// <summary>
/// <see cref="ProducerStates"/> as bytes, all numbers big-endian. Version 1: version (1 byte), count (4); per producer, the one idle for longest
/// first: id (8), epoch (2), last seen (8), number of batches (1); per batch, oldest first: first and last sequence (4 each), base
/// offset (8), timestamp (8).
/// </summary>
internal static class ProducerSnapshot
{
    private const byte Version = 1;
    private const int PrefixBytes = 5;
    private const int ProducerBytes = 19;
    private const int BatchBytes = 24;

    public static byte[] Write(ProducerStates producers)
    {
        var size = PrefixBytes;
        foreach (var producer in producers.All)
            size += ProducerBytes + (producer.Count * BatchBytes);
        var snapshot = new byte[size];
        var rest = snapshot.AsSpan();
        rest[0] = Version;
        BinaryPrimitives.WriteInt32BigEndian(rest[1..], producers.Count);
        rest = rest[PrefixBytes..];
        foreach (var producer in producers.All)
        {
            BinaryPrimitives.WriteInt64BigEndian(rest, producer.ProducerId);
            BinaryPrimitives.WriteInt16BigEndian(rest[8..], producer.Epoch);
            BinaryPrimitives.WriteInt64BigEndian(rest[10..], producer.LastSeen);
            rest[18] = (byte)producer.Count;
            rest = rest[ProducerBytes..];
            for (var i = 0; i < producer.Count; i++)
            {
                var batch = producer[i];
                BinaryPrimitives.WriteInt32BigEndian(rest, batch.FirstSequence);
                BinaryPrimitives.WriteInt32BigEndian(rest[4..], batch.LastSequence);
                BinaryPrimitives.WriteInt64BigEndian(rest[8..], batch.BaseOffset);
                BinaryPrimitives.WriteInt64BigEndian(rest[16..], batch.Timestamp);
                rest = rest[BatchBytes..];
            }
        }

        return snapshot;
    }

    /// <summary>
    /// The states after <paramref name="snapshot"/> (empty: none) and the headers of the batches that followed it, whose producers count as seen
    /// at <paramref name="now"/> (ms since 1970). Throws <see cref="FormatException"/> for bytes that <see cref="Write"/> did not write.
    /// </summary>
    public static ProducerStates Restore(
        ReadOnlySpan<byte> snapshot,
        IReadOnlyList<ReadOnlyMemory<byte>> headersAfter,
        ProducerLimits limits,
        long now)
    {
        var producers = new ProducerStates(limits);
        if (!snapshot.IsEmpty)
            Read(snapshot, producers);
        foreach (var bytes in headersAfter)
        {
            if (!RecordBatchHeader.TryRead(bytes.Span, out var header))
                throw new FormatException($"a stored batch header has {bytes.Length} bytes");
            producers.Record(header, now);
        }

        producers.Expire(now);
        return producers;
    }

    private static void Read(ReadOnlySpan<byte> rest, ProducerStates producers)
    {
        if (rest.Length < PrefixBytes || rest[0] != Version)
            throw new FormatException($"a producer snapshot of {rest.Length} bytes has version {rest[0]}; this build reads version {Version}");
        var count = BinaryPrimitives.ReadInt32BigEndian(rest[1..]);
        rest = rest[PrefixBytes..];
        for (var i = 0; i < count; i++)
            producers.Restore(ReadProducer(ref rest));
        if (!rest.IsEmpty)
            throw new FormatException($"{rest.Length} bytes follow the {count} producers of a snapshot");
    }

    private static ProducerState ReadProducer(ref ReadOnlySpan<byte> rest)
    {
        var count = rest.Length < ProducerBytes ? 0 : rest[18];
        if (count is < 1 or > ProducerState.MaxBatches || rest.Length < ProducerBytes + (count * BatchBytes))
            throw new FormatException($"a producer snapshot is broken {rest.Length} bytes before its end");
        var epoch = BinaryPrimitives.ReadInt16BigEndian(rest[8..]);
        var producer = new ProducerState(BinaryPrimitives.ReadInt64BigEndian(rest), epoch)
        {
            LastSeen = BinaryPrimitives.ReadInt64BigEndian(rest[10..]),
        };
        rest = rest[ProducerBytes..];
        for (var i = 0; i < count; i++)
        {
            producer.Add(epoch, new ProducerBatch
            {
                FirstSequence = BinaryPrimitives.ReadInt32BigEndian(rest),
                LastSequence = BinaryPrimitives.ReadInt32BigEndian(rest[4..]),
                BaseOffset = BinaryPrimitives.ReadInt64BigEndian(rest[8..]),
                Timestamp = BinaryPrimitives.ReadInt64BigEndian(rest[16..]),
            });
            rest = rest[BatchBytes..];
        }

        return producer;
    }
}

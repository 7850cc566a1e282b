using System.Diagnostics;
using System.Net;
using Confluent.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;

namespace Granary.Bench;

/// <summary>One raw socket that fetches a topic from start to end, counts the bytes and looks no further than the batch headers.</summary>
internal static class RawFetch
{
    private const short Version = 11;
    private const int OffsetBytes = 8;
    private const int LastOffsetDeltaAt = 23;
    private const int BatchLengthAt = 8;

    public static async Task<double> RunAsync(string bootstrap, string topic, int partitions)
    {
        var ends = Ends(bootstrap, topic, partitions);
        var next = new long[partitions];
        await using var client = await KafkaWire.ConnectAsync(IPEndPoint.Parse(bootstrap));
        var clock = Stopwatch.StartNew();
        long bytes = 0;
        while (Enumerable.Range(0, partitions).Any(index => next[index] < ends[index]))
        {
            var response = await client.FetchAsync(RequestOf(topic, next, ends), Version);
            foreach (var partition in response.Responses.SelectMany(one => one.Partitions))
            {
                if (partition.ErrorCode != 0)
                    throw new InvalidOperationException($"fetch of {topic}-{partition.PartitionIndex} answered {partition.ErrorCode}");
                bytes += partition.Records?.Length ?? 0;
                if (partition.Records is { IsEmpty: false } records)
                    next[partition.PartitionIndex] = EndOf(records.ToContiguous().Span);
            }
        }

        return bytes / 1e6 / clock.Elapsed.TotalSeconds;
    }

    private static FetchRequest RequestOf(string topic, long[] next, long[] ends) => new()
    {
        MaxWaitMs = 500,
        MinBytes = 1,
        MaxBytes = 50 << 20,
        SessionEpoch = -1,
        Topics =
        [
            new FetchRequest.FetchTopic
            {
                Topic = topic,
                Partitions = [.. Enumerable.Range(0, next.Length).Where(index => next[index] < ends[index]).Select(index => new FetchRequest.FetchPartition
                {
                    Partition = index,
                    FetchOffset = next[index],
                    PartitionMaxBytes = 4 << 20,
                })],
            },
        ],
    };

    /// <summary>The offset behind the last whole batch.</summary>
    private static long EndOf(ReadOnlySpan<byte> batches)
    {
        long end = 0;
        while (batches.Length > LastOffsetDeltaAt + 4)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(batches[BatchLengthAt..]) + OffsetBytes + 4;
            if (length > batches.Length)
                break;
            end = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(batches)
                + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(batches[LastOffsetDeltaAt..]) + 1;
            batches = batches[length..];
        }

        return end;
    }

    private static long[] Ends(string bootstrap, string topic, int partitions)
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = bootstrap, GroupId = "bench" }).Build();
        return [.. Enumerable.Range(0, partitions).Select(index => consumer.QueryWatermarkOffsets(new TopicPartition(topic, index), TimeSpan.FromSeconds(30)).High.Value)];
    }
}

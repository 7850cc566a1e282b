using System.Diagnostics;
using System.Security.Cryptography;
using Confluent.Kafka;

namespace Granary.Bench;

/// <summary>One Confluent.Kafka producer, acks=all, idempotent, spreading records evenly over the partitions as fast as it can.</summary>
internal static class ProduceThroughput
{
    /// <summary>
    /// Bytes of records that wait for their acknowledgement at most: fewer than the client's queue takes. Who runs into its end pays for an exception each time,
    /// and the client's core is then what is measured.
    /// </summary>
    private const long MaxOutstandingBytes = 128L << 20;

    public static (double RecordsPerSecond, double MegabytesPerSecond) Run(string bootstrap, string topic, int partitions, int recordBytes, long records)
    {
        var (failed, settled) = (0L, 0L);
        var maxOutstanding = MaxOutstandingBytes / recordBytes;
        var config = new ProducerConfig
        {
            BootstrapServers = bootstrap,
            Acks = Acks.All,
            EnableIdempotence = true,
            LingerMs = 5,
            BatchSize = 1_000_000,
            MessageMaxBytes = 1_000_000,
            QueueBufferingMaxMessages = 2_000_000,
            QueueBufferingMaxKbytes = 256 * 1024,
            DeliveryReportFields = "none",
            SocketNagleDisable = true,
        };
        using var producer = new ProducerBuilder<Null, byte[]>(config)
            .SetErrorHandler((_, error) => Console.Error.WriteLine($"  producer: {error.Reason}"))
            .Build();
        var values = Enumerable.Range(0, 64).Select(_ => new Message<Null, byte[]> { Value = RandomNumberGenerator.GetBytes(recordBytes) }).ToArray();
        var targets = Enumerable.Range(0, partitions).Select(index => new TopicPartition(topic, index)).ToArray();

        // The first record opens the connection and the partition's grain; it is not part of the measurement.
        foreach (var target in targets)
            producer.Produce(target, values[0]);
        producer.Flush(TimeSpan.FromSeconds(30));

        var clock = Stopwatch.StartNew();
        for (long sent = 0; sent < records; sent++)
        {
            while (sent - Volatile.Read(ref settled) >= maxOutstanding)
                Thread.Sleep(1);
            producer.Produce(targets[(sent >> 4) % partitions], values[sent & 63], report =>
            {
                failed += report.Error.IsError ? 1 : 0;
                Volatile.Write(ref settled, settled + 1);
            });
        }

        while (producer.Flush(TimeSpan.FromSeconds(1)) > 0 && clock.Elapsed < TimeSpan.FromMinutes(5))
        {
        }

        var seconds = clock.Elapsed.TotalSeconds;
        if (failed > 0)
            throw new InvalidOperationException($"{failed} of {records} records were not acknowledged");
        return (records / seconds, records * (double)recordBytes / 1e6 / seconds);
    }
}

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Confluent.Kafka;

namespace Granary.Bench;

/// <summary>
/// An open loop: records leave at fixed times whatever became of the former ones, and latency counts from the time a record was due, not
/// from when it was sent. One producer without linger, one consumer at the tail, both Confluent.Kafka.
/// </summary>
internal static partial class SteadyLatency
{
    public static (Latencies Produce, Latencies EndToEnd) Run(string bootstrap, string topic, int partitions, int recordBytes, int recordsPerSecond, TimeSpan duration)
    {
        var total = (int)(recordsPerSecond * duration.TotalSeconds);
        var produce = new Latencies(total);
        var endToEnd = new Latencies(total);
        using var stop = new CancellationTokenSource();
        using var atTail = new CountdownEvent(1);
        var reading = new Thread(() => Read(bootstrap, topic, partitions, endToEnd, atTail, stop.Token)) { IsBackground = true };
        reading.Start();
        atTail.Wait();

        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = bootstrap,
            Acks = Acks.All,
            LingerMs = 0,
            SocketNagleDisable = true,
        }).Build();
        Warm(producer, topic, partitions, recordBytes);

        var start = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < total; sent++)
        {
            var due = start + (long)((double)sent / recordsPerSecond * Stopwatch.Frequency);
            WaitUntil(due);
            var value = RandomNumberGenerator.GetBytes(recordBytes);
            MemoryMarshal.Write(value, due);
            producer.Produce(new TopicPartition(topic, sent % partitions), new Message<Null, byte[]> { Value = value }, report =>
            {
                if (!report.Error.IsError)
                    produce.Add(Stopwatch.GetElapsedTime(due));
            });
        }

        producer.Flush(TimeSpan.FromSeconds(30));
        var deadline = Stopwatch.StartNew();
        while (endToEnd.Count < total && deadline.Elapsed < TimeSpan.FromSeconds(10))
            WaitUntil(Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 100));
        stop.Cancel();
        reading.Join();
        if (produce.Count < total || endToEnd.Count < total)
            throw new InvalidOperationException($"of {total} records {produce.Count} were acknowledged and {endToEnd.Count} were read");
        return (produce, endToEnd);
    }

    private static void Warm(IProducer<Null, byte[]> producer, string topic, int partitions, int recordBytes)
    {
        for (var index = 0; index < partitions * 50; index++)
            producer.Produce(new TopicPartition(topic, index % partitions), new Message<Null, byte[]> { Value = new byte[recordBytes] });
        producer.Flush(TimeSpan.FromSeconds(30));
    }

    private static void Read(string bootstrap, string topic, int partitions, Latencies latencies, CountdownEvent atTail, CancellationToken stop)
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = "bench",
            EnableAutoCommit = false,
            SocketNagleDisable = true,
        }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(index =>
        {
            var bounds = consumer.QueryWatermarkOffsets(new TopicPartition(topic, index), TimeSpan.FromSeconds(30));
            return new TopicPartitionOffset(topic, index, bounds.High);
        }));
        atTail.Signal();
        try
        {
            while (true)
            {
                var due = MemoryMarshal.Read<long>(consumer.Consume(stop).Message.Value);
                if (due != 0)
                    latencies.Add(Stopwatch.GetElapsedTime(due));
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    /// <summary>Sleeps in steps of 50 us: a timer of the runtime is a millisecond coarse, and spinning would take a core from the server.</summary>
    public static void WaitUntil(long timestamp)
    {
        var step = new TimeSpec { Nanoseconds = 50_000 };
        while (Stopwatch.GetTimestamp() < timestamp)
            _ = NanoSleep(in step, IntPtr.Zero);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec wanted, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}

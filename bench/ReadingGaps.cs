using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Granary.Abstractions.Clients;
using Granary.Support;

namespace Granary.Bench;

/// <summary>
/// Three members that read twelve partitions, to each of which a record is produced every ten milliseconds, and a fourth that joins: for how long a partition is not
/// read then, one that goes to another member and one that stays. Beside it the same figure of as long a time in which nobody joins: what the machine does by itself.
/// </summary>
internal static class ReadingGaps
{
    private const int Partitions = 12;
    private const string Topic = "gaps";

    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_watched = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    public static async Task RunAsync(ResultTable table, SiloProcess silo, IGrainFactory grains)
    {
        await new LogAdmin(grains).CreateTopicAsync(Topic, Partitions);
        using var stop = new CancellationTokenSource();
        var producing = Task.Factory.StartNew(() => Produce(silo.KafkaBootstrap, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var places = new Places();
        var members = Enumerable.Range(0, 3).Select(number => ReadAsync(grains, number, places, stop.Token)).ToList();
        await places.AwaitAsync(readers: 3);
        for (var round = 3; round < 6; round++)
        {
            places.Begin();
            await Task.Delay(s_watched);
            table.Add("nobody joins: the longest time a partition is not read", "ms", places.Gaps().Max(gap => gap.Milliseconds));
            places.Begin();
            members.Add(ReadAsync(grains, round, places, stop.Token));
            await Task.Delay(s_watched);
            var gaps = places.Gaps();
            if (gaps.All(gap => !gap.Moved))
                throw new InvalidOperationException($"member {round} was given nothing within {s_watched}");
            table.Add("a member joins: … that goes to another member", "ms", gaps.Where(gap => gap.Moved).Max(gap => gap.Milliseconds), "1,000");
            table.Add("a member joins: … that stays", "ms", gaps.Where(gap => !gap.Moved).Max(gap => gap.Milliseconds), "as if nobody joined");
        }

        await stop.CancelAsync();
        await Task.WhenAll(members);
        await producing;
    }

    private static void Produce(string bootstrap, CancellationToken stop)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = bootstrap, LingerMs = 0 }).Build();
        var (start, sent) = (Stopwatch.GetTimestamp(), 0L);
        while (!stop.IsCancellationRequested)
        {
            SteadyLatency.WaitUntil(start + (long)(sent++ * s_pace.TotalSeconds * Stopwatch.Frequency));
            for (var partition = 0; partition < Partitions; partition++)
                producer.Produce(new Confluent.Kafka.TopicPartition(Topic, partition), new Message<Null, byte[]> { Value = [1] });
        }

        producer.Flush(TimeSpan.FromSeconds(10));
    }

    private static async Task ReadAsync(IGrainFactory grains, int number, Places places, CancellationToken stop)
    {
        await using var consumer = new LogConsumer(grains);
        consumer.Subscribe([Topic], "gaps");
        try
        {
            await foreach (var record in consumer.ReadAsync(stop))
                places.Read(record.Partition.Partition, number);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    /// <summary>Who reads each partition, since when it has not been read, and for how long it was not at the most.</summary>
    private sealed class Places
    {
        private readonly ConcurrentDictionary<int, (int Reader, long At, TimeSpan Longest, bool Moved)> _byPartition = new();

        public void Read(int partition, int reader)
        {
            var now = Stopwatch.GetTimestamp();
            _byPartition.AddOrUpdate(partition, (reader, now, TimeSpan.Zero, false), (_, place) =>
            {
                var gap = Stopwatch.GetElapsedTime(place.At, now);
                return (reader, now, gap > place.Longest ? gap : place.Longest, place.Moved || place.Reader != reader);
            });
        }

        public void Begin()
        {
            foreach (var partition in _byPartition.Keys)
                _byPartition[partition] = _byPartition[partition] with { At = Stopwatch.GetTimestamp(), Longest = TimeSpan.Zero, Moved = false };
        }

        /// <summary>One that is not read to the end counts with the time since.</summary>
        public List<(double Milliseconds, bool Moved)> Gaps() => [.. _byPartition.Values.Select(place =>
        {
            var open = Stopwatch.GetElapsedTime(place.At);
            return ((open > place.Longest ? open : place.Longest).TotalMilliseconds, place.Moved);
        })];

        public async Task AwaitAsync(int readers)
        {
            var clock = Stopwatch.StartNew();
            while (_byPartition.Count < Partitions || _byPartition.Values.Select(place => place.Reader).Distinct().Count() < readers)
            {
                if (clock.Elapsed > s_patience)
                    throw new InvalidOperationException($"{_byPartition.Count} of {Partitions} partitions are read");
                await Task.Delay(5);
            }
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support;

namespace Granary.Bench;

/// <summary>Ten thousand partitions that nobody uses: what it takes to open them all after a start, to keep them, and to leave them alone.</summary>
internal static class IdlePartitions
{
    private const int TopicCount = 10;
    private const int PartitionsPerTopic = 1_000;

    public static async Task RunAsync(ResultTable table)
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        var topics = Enumerable.Range(0, TopicCount).Select(index => $"idle-{index}").ToArray();
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = silo.KafkaBootstrap }).Build())
        {
            await admin.CreateTopicsAsync(topics.Select(topic => new TopicSpecification { Name = topic, NumPartitions = PartitionsPerTopic, ReplicationFactor = 1 }));
        }

        await OpenAllAsync(silo, topics);
        await silo.StopAsync();

        await silo.RestartAsync();
        var before = await HeapBytesAsync(silo);
        var clock = Stopwatch.StartNew();
        await OpenAllAsync(silo, topics);
        table.Add("10,000 partitions open after a restart", "s", clock.Elapsed.TotalSeconds, "60");
        var after = await HeapBytesAsync(silo);
        table.Add("managed memory of an idle partition", "KB", (after - before) / 1024.0 / TopicCount / PartitionsPerTopic, "16");
        table.Add("processor use while idle", "% of a core", await ProcessorPercentAsync(silo, TimeSpan.FromSeconds(20)), "0");
    }

    /// <summary>Asks every partition for its end, so that each is opened.</summary>
    private static async Task OpenAllAsync(SiloProcess silo, string[] topics)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = silo.KafkaBootstrap }).Build();
        foreach (var topic in topics)
        {
            var asked = Enumerable.Range(0, PartitionsPerTopic)
                .Select(index => new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition(topic, index), OffsetSpec = OffsetSpec.Latest() });
            var answered = await admin.ListOffsetsAsync(asked, new ListOffsetsOptions { RequestTimeout = TimeSpan.FromSeconds(60) });
            if (answered.ResultInfos.Any(info => info.TopicPartitionOffsetError.Error.IsError))
                throw new InvalidOperationException($"not every partition of {topic} answered");
        }
    }

    /// <summary>The live heap after the last full collection, from /metrics: asked until two answers a second apart agree to a percent.</summary>
    private static async Task<double> HeapBytesAsync(SiloProcess silo)
    {
        using var http = new HttpClient { BaseAddress = new Uri(silo.HttpUrl) };
        var text = await http.GetStringAsync("/metrics?collect=full");
        return text.Split('\n')
            .Where(line => line.StartsWith("dotnet_gc_last_collection_heap_size_bytes{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    private static async Task<double> ProcessorPercentAsync(SiloProcess silo, TimeSpan over)
    {
        using var process = Process.GetProcessById(silo.ProcessId);
        var before = process.TotalProcessorTime;
        await Task.Delay(over);
        process.Refresh();
        return (process.TotalProcessorTime - before) / over * 100;
    }
}

using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support;
using Microsoft.Diagnostics.NETCore.Client;

namespace Granary.Bench;

/// <summary>Ten thousand partitions that nobody uses: what it takes to open them all after a start, to keep them, and to leave them alone.</summary>
internal static class IdlePartitions
{
    private const int TopicCount = 10;
    private const int PartitionsPerTopic = 1_000;

    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan s_measured = TimeSpan.FromSeconds(30);

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
        table.Add("processor use, no partition open", "% of a core", await ProcessorPercentAsync(silo));
        var clock = Stopwatch.StartNew();
        await OpenAllAsync(silo, topics);
        table.Add("10,000 partitions open after a restart", "s", clock.Elapsed.TotalSeconds, "60");
        var after = await HeapBytesAsync(silo);
        table.Add("managed memory of an idle partition", "KB", (after - before) / 1024.0 / TopicCount / PartitionsPerTopic, "16");
        table.Add("processor use, 10,000 idle partitions", "% of a core", await ProcessorPercentAsync(silo), "0 more");
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

    /// <summary>The live heap: after a full collection that is asked for as a diagnostic tool asks for one.</summary>
    private static async Task<double> HeapBytesAsync(SiloProcess silo)
    {
        const long collectHeap = 0x80_0000;
        var provider = new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, collectHeap);
        using (var session = await new DiagnosticsClient(silo.ProcessId).StartEventPipeSessionAsync([provider], requestRundown: false))
        {
            var reading = session.EventStream.CopyToAsync(Stream.Null);
            await session.StopAsync(CancellationToken.None);
            await reading;
        }

        using var http = new HttpClient { BaseAddress = new Uri(silo.HttpUrl) };
        var text = await http.GetStringAsync("/metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith("dotnet_gc_last_collection_heap_size_bytes{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Of the silo alone, once its runtime has compiled what it had to.</summary>
    private static async Task<double> ProcessorPercentAsync(SiloProcess silo)
    {
        await Task.Delay(s_settle);
        using var process = Process.GetProcessById(silo.ProcessId);
        var before = process.TotalProcessorTime;
        await Task.Delay(s_measured);
        process.Refresh();
        return (process.TotalProcessorTime - before) / s_measured * 100;
    }
}

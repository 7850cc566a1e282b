using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.KafkaClients.Groups;
using Granary.Support;

namespace Granary.KafkaClients.Telemetry;

/// <summary>The figures of a silo under a little load: as Prometheus, by OTLP, in the dashboard's terms, and of one partition over HTTP.</summary>
public sealed partial class TelemetryTests
{
    private const int Records = 20;

    [Fact]
    public async Task Silo_TellsItsFigures()
    {
        await using var receiver = new OtlpReceiver();
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00",
                ["Granary__Groups__MeasureInterval"] = "00:00:00.5",
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Endpoint,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            },
        });
        using var http = new HttpClient { BaseAddress = new Uri(silo.HttpUrl) };
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, configs: new() { ["retention.ms"] = "3600000" });
        await ProduceAsync(silo.KafkaBootstrap, topic);
        using var member = new GroupConsumer(silo.KafkaBootstrap, "measured", topic, config => config.ClientId = "reader-one");

        var text = "";
        await Eventually.IsTrueAsync(
            () => (text = http.GetStringAsync("/metrics").GetAwaiter().GetResult()).Split('\n').Any(line => IsOf(line, "kafka_consumer_group_lag", topic) && line.Contains(" 0", StringComparison.Ordinal)),
            () => "no lag of 0:\n" + text);
        Assert.Contains(text.Split('\n'), line => IsOf(line, "kafka_partition_current_offset", topic) && Value(line) == Records);
        Assert.Contains(text.Split('\n'), line => IsOf(line, "kafka_partition_oldest_offset", topic) && Value(line) == 0);
        Assert.Contains(text.Split('\n'), line => IsOf(line, "kafka_consumer_group_offset", topic) && Value(line) == Records);
        Assert.Contains(text.Split('\n'), line => line.StartsWith("kafka_consumer_group_members{", StringComparison.Ordinal) && line.Contains("\"measured\"", StringComparison.Ordinal) && Value(line) == 1);
        Assert.Contains(text.Split('\n'), line => line.StartsWith("granary_storage_append_duration_seconds_bucket{", StringComparison.Ordinal) && line.Contains("le=\"0.01\"", StringComparison.Ordinal));
        Assert.Contains(text.Split('\n'), line => IsOf(line, "granary_topic_records_in_total", topic) && Value(line) == Records);

        var names = SampleNames(text);
        Assert.Empty(MetricsOf(Dashboard()).Except(names));
        await Eventually.IsTrueAsync(
            () => receiver.Has("kafka.consumer_group.lag") && receiver.Has("kafka.request.count") && receiver.Has("kafka.brokers"),
            () => $"{receiver.Posts.Count} exports without the metrics");
        Assert.All(receiver.Posts, post => Assert.Equal(("/v1/metrics", "application/x-protobuf"), (post.Path, post.Type)));
        await DescribesPartitionAsync(http, topic);
    }

    private static async Task DescribesPartitionAsync(HttpClient http, string topic)
    {
        var partition = JsonDocument.Parse(await http.GetStringAsync($"/topics/{topic}/partitions/0")).RootElement;
        var segment = partition.GetProperty("segments").EnumerateArray().Single();
        Assert.True(segment.GetProperty("createdAt").GetDateTime() > DateTime.UtcNow.AddHours(-1));
        Assert.Equal(Records, segment.GetProperty("endOffset").GetInt64());
        var reader = partition.GetProperty("readers").EnumerateArray().Single(one => one.GetProperty("clientId").GetString() == "reader-one");
        Assert.Equal(Records, reader.GetProperty("offset").GetInt64());
        Assert.True(reader.GetProperty("lastFetchAt").GetDateTime() > DateTime.UtcNow.AddHours(-1));

        var listed = JsonDocument.Parse(await http.GetStringAsync($"/topics?details=true&prefix={topic}")).RootElement.GetProperty("topics").EnumerateArray().Single();
        Assert.Equal(3_600_000, listed.GetProperty("retentionMs").GetInt64());
        Assert.Equal(partition.GetProperty("sizeBytes").GetInt64(), listed.GetProperty("sizeBytes").GetInt64());

        using var stream = await http.GetAsync($"/topics/{topic}/stream?lastEventId=0:{Records - 1}", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync());
        string? line;
        do
            line = await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30));
        while (line?.StartsWith("data:", StringComparison.Ordinal) == false);
        Assert.Equal(Records - 1, JsonDocument.Parse(line!["data:".Length..]).RootElement.GetProperty("offset").GetInt64());
    }

    private static async Task ProduceAsync(string bootstrap, string topic)
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = bootstrap }).Build();
        for (var count = 0; count < Records; count++)
            await producer.ProduceAsync(topic, new Message<Null, string> { Value = $"v{count}" });
    }

    private static bool IsOf(string line, string metric, string topic) =>
        line.StartsWith(metric + "{", StringComparison.Ordinal) && line.Contains($"topic=\"{topic}\"", StringComparison.Ordinal);

    /// <summary>The exporter may write a time after the value.</summary>
    private static double Value(string line) => double.Parse(line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], System.Globalization.CultureInfo.InvariantCulture);

    private static HashSet<string> SampleNames(string text) =>
        [.. text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOfAny(['{', ' '])])];

    /// <summary>Granary's names begin with one of a few words, and no function or label of PromQL does.</summary>
    private static HashSet<string> MetricsOf(string dashboard)
    {
        using var parsed = JsonDocument.Parse(dashboard);
        var found = new HashSet<string>();
        foreach (var panel in parsed.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.TryGetProperty("targets", out _)))
        {
            foreach (var target in panel.GetProperty("targets").EnumerateArray())
            {
                var names = MetricName().Matches(target.GetProperty("expr").GetString()!).Select(match => match.Value).ToList();
                Assert.NotEmpty(names);
                found.UnionWith(names);
            }
        }

        return found;
    }

    private static string Dashboard([CallerFilePath] string here = "")
    {
        var folder = Path.GetDirectoryName(here)!;
        while (!File.Exists(Path.Combine(folder, "Cluster.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return File.ReadAllText(Path.Combine(folder, "deploy", "grafana", "granary.json"));
    }

    [GeneratedRegex(@"\b(kafka|granary|orleans|dotnet|process|npgsql|db|kestrel|http_server)_[a-z0-9_]+\b")]
    private static partial Regex MetricName();
}

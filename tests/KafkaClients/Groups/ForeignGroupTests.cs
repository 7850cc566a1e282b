using System.Diagnostics;
using System.Text.Json;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Groups;

/// <summary>Groups of clients other than Confluent.Kafka: kcat, kafkajs, kafka-python; and one that dies.</summary>
public sealed class ForeignGroupTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Count = 60;
    private const string Interpreter = "/usr/bin/python3";

    private static readonly string? s_kcat = ChildProgram.Find("kcat");
    private static readonly string? s_node = ChildProgram.Find("node");

    [Fact]
    public async Task Kcat_ReadsAsAGroup_AndGoesOnWhereItStopped()
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await FillAsync(Count);
        var group = $"g-{Guid.NewGuid():N}";

        var read = await ChildProgram.RunAsync(s_kcat!, ["-b", broker.Bootstrap, "-G", group, "-X", "auto.offset.reset=earliest", "-c", $"{Count}", "-q", topic]);

        Assert.Equal(Enumerable.Range(0, Count), Lines(read));
        using var next = new GroupConsumer(broker.Bootstrap, group, topic);
        await Eventually.IsTrueAsync(() => next.Assigned.Count == 2, () => $"{next.Assigned.Count}");
        Assert.Empty(next.Read);
    }

    [Fact]
    public async Task MemberThatIsKilled_IsMissedWithinItsSession()
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await FillAsync(Count);
        var group = $"g-{Guid.NewGuid():N}";
        using var staying = new GroupConsumer(broker.Bootstrap, group, topic, config => config.HeartbeatIntervalMs = 100);
        await Eventually.IsTrueAsync(() => staying.Assigned.Count == 2, () => $"{staying.Assigned.Count}");
        using var dying = Process.Start(new ProcessStartInfo(s_kcat!, ["-b", broker.Bootstrap, "-G", group, "-X", "session.timeout.ms=2000", "-X", "heartbeat.interval.ms=200", "-X", "partition.assignment.strategy=range", "-q", topic]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        await Eventually.IsTrueAsync(() => staying.Assigned.Count == 1, () => $"{staying.Assigned.Count} with the other");

        dying.Kill();
        var killed = Stopwatch.StartNew();
        await Eventually.IsTrueAsync(() => staying.Assigned.Count == 2, () => $"{staying.Assigned.Count} after the other was killed");

        output.WriteLine($"all partitions again {killed.ElapsedMilliseconds} ms after the other was killed; its session is 2,000 ms");
        // By its session, not by its connection; how exactly is measured by `./dev bench commits classic`.
        Assert.InRange(killed.ElapsedMilliseconds, 500, 10_000);
    }

    [Fact]
    public async Task KafkaJs_ReadsAsAGroup()
    {
        Assert.SkipWhen(s_node is null, "Node.js is not installed");
        var scripts = ForeignRecord.Folder("js");
        Assert.SkipWhen(!Directory.Exists(Path.Combine(scripts, "node_modules")), "kafkajs is not installed: ./dev test installs it with npm");
        var topic = await FillAsync(Count);

        var printed = await ChildProgram.RunAsync(s_node!, ["group.js", broker.Bootstrap, topic, $"g-{Guid.NewGuid():N}", $"{Count}"], folder: scripts);

        Assert.Equal(Enumerable.Range(0, Count), JsonSerializer.Deserialize<string[]>(printed)!.Select(int.Parse).Order());
    }

    [Fact]
    public async Task KafkaPython_ReadsAsAGroup()
    {
        await SkipWithoutKafkaPythonAsync();
        var topic = await FillAsync(Count);

        var printed = await ChildProgram.RunAsync(Interpreter, [Path.Combine(ForeignRecord.Folder("py"), "group.py"), broker.Bootstrap, topic, $"g-{Guid.NewGuid():N}", $"{Count}"]);

        Assert.Equal(Enumerable.Range(0, Count), JsonSerializer.Deserialize<string[]>(printed)!.Select(int.Parse).Order());
    }

    /// <summary>The eager `sticky` assignor, whose user data the coordinator hands from one generation's members to the next one's leader.</summary>
    [Fact]
    public async Task KafkaPython_WithTheStickyAssignor_KeepsWhatStaysWhenMembersComeAndGo()
    {
        await SkipWithoutKafkaPythonAsync();
        var topic = await FillAsync(Count, partitions: 6);

        var printed = await ChildProgram.RunAsync(Interpreter, [Path.Combine(ForeignRecord.Folder("py"), "sticky.py"), broker.Bootstrap, topic, $"g-{Guid.NewGuid():N}", $"{Count}"]);

        output.WriteLine(printed);
        using var told = JsonDocument.Parse(printed);
        var (two, three, again) = (Shares("two"), Shares("three"), Shares("again"));
        Assert.Equal([3, 3], two.Select(share => share.Length));
        Assert.Equal([2, 2, 2], three.Select(share => share.Length));
        Assert.Equal([3, 3], again.Select(share => share.Length));
        for (var member = 0; member < 2; member++)
        {
            Assert.Subset(two[member].ToHashSet(), three[member].ToHashSet());
            Assert.Superset(three[member].ToHashSet(), again[member].ToHashSet());
        }

        Assert.Equal(Enumerable.Range(0, Count), told.RootElement.GetProperty("read").Deserialize<string[]>()!.Select(int.Parse));

        int[][] Shares(string when) => told.RootElement.GetProperty(when).Deserialize<int[][]>()!;
    }

    private static async Task SkipWithoutKafkaPythonAsync()
    {
        Assert.SkipWhen(!File.Exists(Interpreter), "Python is not installed");
        var found = await ChildProgram.RunAsync(Interpreter, ["-c", "import importlib.util; print(importlib.util.find_spec('kafka') is not None)"]);
        Assert.SkipWhen(found.Trim() != "True", "kafka-python is not installed: ./dev test installs it where a package manager has it");
    }

    private static IEnumerable<int> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).Order();

    private async Task<string> FillAsync(int count, int partitions = 2)
    {
        var topic = await Topics.CreateAsync(broker.Bootstrap, partitions);
        using var producer = Topics.Producer(broker.Bootstrap);
        for (var index = 0; index < count; index++)
            producer.Produce(new TopicPartition(topic, index % partitions), new() { Value = System.Text.Encoding.UTF8.GetBytes($"{index}") });
        producer.Flush(TimeSpan.FromSeconds(30));
        return topic;
    }
}

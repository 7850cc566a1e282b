using System.Runtime.CompilerServices;
using Granary.Support;

namespace Granary.KafkaClients.Recording;

/// <summary>Records the requests of every client anew, into tests/Unit/Wire/Frames. Runs when asked to: GRANARY_RECORD=1 (`./dev record`).</summary>
public sealed class RecordFrames(ITestOutputHelper output)
{
    private const int Records = 4;

    [Fact]
    public async Task Record_EveryClient()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("GRANARY_RECORD") is not { Length: > 0 }, "recording is asked for by GRANARY_RECORD=1");
        var recording = new FrameRecording();
        await using var proxy = new RecordingProxy(recording);
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { Settings = new Dictionary<string, string> { ["Granary__Kafka__AdvertisedPort"] = $"{proxy.Port}" } });
        proxy.LeadTo(silo.KafkaBootstrap);

        proxy.Expect("confluent");
        await ConfluentSession.RunAsync(proxy.Bootstrap, "by-confluent");
        proxy.Expect("kcat");
        await RunKcatAsync(proxy.Bootstrap, "by-kcat");
        proxy.Expect("kafkajs");
        await RunKafkaJsAsync(proxy.Bootstrap, "by-kafkajs");
        proxy.Expect("kafka-python");
        await RunKafkaPythonAsync(proxy.Bootstrap, "by-kafka-python");

        recording.Save(Path.Combine(Path.GetDirectoryName(Here())!, "../../Unit/Wire/Frames"));
        output.WriteLine(string.Join('\n', recording.Names));
    }

    private static async Task RunKcatAsync(string bootstrap, string topic)
    {
        Task<string> Kcat(string? input, params string[] arguments) => ChildProgram.RunAsync(ChildProgram.Find("kcat")!, ["-b", bootstrap, .. arguments], input);
        foreach (var codec in new[] { "none", "gzip", "snappy", "lz4", "zstd" })
            await Kcat($"k:{new string('v', 100)}\nl:{new string('v', 100)}\n", "-P", "-t", topic, "-p", "0", "-K", ":", "-z", codec, "-X", "linger.ms=50");
        await Kcat("k:v\n", "-P", "-t", topic, "-p", "0", "-K", ":", "-H", "a=1", "-X", "enable.idempotence=true", "-X", "linger.ms=50");
        await Kcat(null, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q");
        await Kcat(null, "-L", "-t", topic);
        await Kcat(null, "-Q", "-t", $"{topic}:0:1700000000000");
    }

    private static async Task RunKafkaJsAsync(string bootstrap, string topic)
    {
        var scripts = ForeignRecord.Folder("js");
        var node = ChildProgram.Find("node")!;
        foreach (var codec in new[] { "none", "gzip", "snappy" })
            await ChildProgram.RunAsync(node, ["roundtrip.js", bootstrap, $"{topic}-{codec}", codec, codec == "none" ? "true" : "false", $"{Records}"], folder: scripts);
        await ChildProgram.RunAsync(node, ["admin.js", bootstrap, $"{topic}-admin"], folder: scripts);
    }

    private static async Task RunKafkaPythonAsync(string bootstrap, string topic)
    {
        var scripts = ForeignRecord.Folder("py");
        foreach (var codec in new[] { "none", "gzip" })
            await ChildProgram.RunAsync("/usr/bin/python3", [Path.Combine(scripts, "roundtrip.py"), bootstrap, $"{topic}-{codec}", codec, $"{Records}"]);
        await ChildProgram.RunAsync("/usr/bin/python3", [Path.Combine(scripts, "admin.py"), bootstrap, $"{topic}-admin"]);
    }

    private static string Here([CallerFilePath] string path = "") => path;
}

using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Kcat;

/// <summary>kcat, as Debian ships it (librdkafka 2.0.2).</summary>
public sealed class KcatTests(BrokerFixture broker)
{
    private static readonly string? s_kcat = ChildProgram.Find("kcat");

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Kcat_ProducesAndConsumes_WithEveryCodec(string codec)
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        var lines = Enumerable.Range(0, 300).Select(index => $"k{index % 7}:value {index} {new string('y', index)}").ToArray();

        await RunAsync(["-P", "-t", topic, "-p", "0", "-K", ":", "-z", codec, "-X", "linger.ms=50"], string.Join('\n', lines) + "\n");
        var read = await RunAsync(["-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-K", ":"]);

        Assert.Equal(lines, read.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Kcat_Headers_Tombstones_And_Timestamps_AreKept()
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await Topics.CreateAsync(broker.Bootstrap);

        await RunAsync(["-P", "-t", topic, "-p", "0", "-K", ":", "-Z", "-H", "a=1", "-H", "b=two"], "gone:\n");
        var read = await RunAsync(["-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", "%k|%S|%h|%o"]);

        Assert.Equal("gone|-1|a=1,b=two|0", read.Trim());
    }

    [Fact]
    public async Task Kcat_FromAnOffsetAndFromTheEnd_ReadsWhatItShould()
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await Topics.CreateAsync(broker.Bootstrap);
        await RunAsync(["-P", "-t", topic, "-p", "0", "-X", "linger.ms=50"], string.Concat(Enumerable.Range(0, 50).Select(index => $"{index}\n")));

        var fromOffset = await RunAsync(["-C", "-t", topic, "-p", "0", "-o", "48", "-e", "-q"]);
        var fromEnd = await RunAsync(["-C", "-t", topic, "-p", "0", "-o", "-3", "-e", "-q"]);

        Assert.Equal(["48", "49"], fromOffset.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["47", "48", "49"], fromEnd.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Kcat_ListsTheCluster()
    {
        Assert.SkipWhen(s_kcat is null, "kcat is not installed: ./dev test installs it where a package manager has it");
        var topic = await Topics.CreateAsync(broker.Bootstrap, partitions: 4);

        var listed = await RunAsync(["-L", "-t", topic]);

        Assert.Contains("1 brokers", listed, StringComparison.Ordinal);
        Assert.Contains($"topic \"{topic}\" with 4 partitions", listed, StringComparison.Ordinal);
    }

    private Task<string> RunAsync(string[] arguments, string? input = null) =>
        ChildProgram.RunAsync(s_kcat!, ["-b", broker.Bootstrap, .. arguments], input);
}

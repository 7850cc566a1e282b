using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Python;

/// <summary>kafka-python 2.0.2, as Debian ships it: guesses the broker's version from ApiVersions v0 and uses old fixed versions.</summary>
public sealed class KafkaPythonTests(BrokerFixture broker)
{
    private const string Interpreter = "/usr/bin/python3";

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    public async Task KafkaPython_ProducesAndFetches(string codec)
    {
        Assert.SkipWhen(!await HasKafkaAsync(), "kafka-python is not installed: ./dev test installs it where a package manager has it");
        var topic = await Topics.CreateAsync(broker.Bootstrap);

        var printed = await ChildProgram.RunAsync(
            Interpreter, [Path.Combine(ForeignRecord.Folder("py"), "roundtrip.py"), broker.Bootstrap, topic, codec, "200"]);

        Assert.Equal(ForeignRecord.Series(200), ForeignRecord.Parse(printed));
    }

    private static async Task<bool> HasKafkaAsync()
    {
        if (!File.Exists(Interpreter))
            return false;
        var found = await ChildProgram.RunAsync(Interpreter, ["-c", "import importlib.util; print(importlib.util.find_spec('kafka') is not None)"]);
        return found.Trim() == "True";
    }
}

using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Node;

/// <summary>kafkajs 2.2.4: no flexible versions, Produce and Fetch up to its own maximum whatever we offer below.</summary>
public sealed class KafkaJsTests(BrokerFixture broker)
{
    private static readonly string? s_node = ChildProgram.Find("node");
    private static readonly string s_scripts = ForeignRecord.Folder("js");

    [Theory]
    [InlineData("none", false)]
    [InlineData("gzip", false)]
    [InlineData("snappy", false)]
    [InlineData("none", true)]
    public async Task KafkaJs_ProducesAndFetches(string codec, bool idempotent)
    {
        Assert.SkipWhen(s_node is null, "Node.js is not installed");
        Assert.SkipWhen(!Directory.Exists(Path.Combine(s_scripts, "node_modules")), "kafkajs is not installed: ./dev test installs it with npm");
        var topic = await Topics.CreateAsync(broker.Bootstrap);

        var printed = await ChildProgram.RunAsync(
            s_node!, ["roundtrip.js", broker.Bootstrap, topic, codec, idempotent ? "true" : "false", "200"], folder: s_scripts);

        Assert.Equal(ForeignRecord.Series(200), ForeignRecord.Parse(printed));
    }
}

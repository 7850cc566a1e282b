using Granary.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Granary.Unit.Silo;

public sealed class SettingsCheckTests
{
    [Fact]
    public void Wrong_OfNoSettings_IsNothing() => Assert.Empty(Wrong());

    [Fact]
    public void Wrong_OfRightSettings_IsNothing() => Assert.Empty(Wrong(
        ("HttpUrl", "http://*:8080;http://127.0.0.1:8081"),
        ("kafka:port", "9093"),
        ("Kafka:AutoCreateTopics", "false"),
        ("Storage:CopyForwardLiveFraction", "0.5"),
        ("Partitions:MaxWait", "00:00:10"),
        ("ConsumerGroups:MigrationPolicy", "upgrade"),
        ("Topics:NumPartitions", "3")));

    [Theory]
    [InlineData("Kafka:Port", "99999", "Granary__Kafka__Port is 99999: 0 to 65535 is wanted.")]
    [InlineData("Kafka:Port", "kafka", "Granary__Kafka__Port is 'kafka': a whole number up to 2147483647 is wanted.")]
    [InlineData("Kafka:MaxFrameBytes", "-1", "Granary__Kafka__MaxFrameBytes is -1: more than 0 is wanted.")]
    [InlineData("Kafka:MaxFrameBytes", "9999999999", "Granary__Kafka__MaxFrameBytes is '9999999999': a whole number up to 2147483647 is wanted.")]
    [InlineData("Kafka:NumPartitions", "3", "Granary__Kafka__NumPartitions is '3': there is no such setting.")]
    [InlineData("Kafka:NodeId", "7", "Granary__Kafka__NodeId is '7': there is no such setting.")]
    [InlineData("Kafka:IsEdge", "true", "Granary__Kafka__IsEdge is 'true': there is no such setting.")]
    [InlineData("Kafka:IdleTimeout", "soon", "Granary__Kafka__IdleTimeout is 'soon': a time like 00:00:30 (hours:minutes:seconds) is wanted.")]
    [InlineData("Kafka:AutoCreateTopics", "maybe", "Granary__Kafka__AutoCreateTopics is 'maybe': true or false is wanted.")]
    [InlineData("Storage:Lanes", "0", "Granary__Storage__Lanes is 0: 1 to 64 is wanted.")]
    [InlineData("Storage:SlabBytes", "-5", "Granary__Storage__SlabBytes is -5: at least 64 KB is wanted.")]
    [InlineData("Partitions:MaxReadBytes", "-5", "Granary__Partitions__MaxReadBytes is -5: at least 1 is wanted.")]
    [InlineData("Topics:NumPartitions", "0", "Granary__Topics__NumPartitions is 0: 1 or more is wanted.")]
    [InlineData("ConsumerGroups:MigrationPolicy", "sideways", "Granary__ConsumerGroups__MigrationPolicy is 'sideways': one of Disabled, Upgrade, Downgrade, Bidirectional is wanted.")]
    [InlineData("ConsumerGroups:MigrationPolicy", "7", "Granary__ConsumerGroups__MigrationPolicy is 7: Disabled, Upgrade, Downgrade, Bidirectional are the ones there are.")]
    [InlineData("ConsumerGroups:MaxGroupBytes", "100", "Granary__ConsumerGroups__MaxGroupBytes must be at least 1024.")]
    [InlineData("SiloPort", "-1", "Granary__SiloPort is -1: 0 to 65535 is wanted.")]
    [InlineData("HttpUrl", "nonsense", "Granary__HttpUrl is 'nonsense': a URL like http://127.0.0.1:8080 is wanted.")]
    [InlineData("SiloName", " ", "Granary__SiloName is empty.")]
    [InlineData("Sise", "1", "Granary__Sise is '1': there is no such setting.")]
    public void Wrong_OfAWrongSetting_NamesItAndItsValue(string name, string value, string sentence) => Assert.Equal([sentence], Wrong((name, value)));

    private static IEnumerable<string> Wrong(params (string Name, string Value)[] settings) => SettingsCheck.Wrong(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>($"Granary:{setting.Name}", setting.Value)))
        .Build());
}

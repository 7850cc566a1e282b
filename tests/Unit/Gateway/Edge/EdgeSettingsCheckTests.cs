using System.Reflection;
using Granary.Gateway.Edge;
using Granary.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Granary.Unit.Gateway.Edge;

public sealed class EdgeSettingsCheckTests
{
    [Fact]
    public void Wrong_OfRightSettings_AndOfThoseThatSilosHave_IsNothing() => Assert.Empty(Wrong(
        ("HttpUrl", "http://*:8080"),
        ("kafka:port", "9093"),
        ("Live:Linger", "00:00:05"),
        ("Http:AllowedHosts", "gateway"),
        ("Storage:Lanes", "4"),
        ("siloName", "silo-7")));

    [Theory]
    [InlineData("Kafka:Prot", "9093", "Granary__Kafka__Prot is '9093': there is no such setting.")]
    [InlineData("Kafka:IsEdge", "false", "Granary__Kafka__IsEdge is 'false': there is no such setting.")]
    [InlineData("Kafka:Port", "99999", "Granary__Kafka__Port is 99999: 0 to 65535 is wanted.")]
    [InlineData("Http:MaxStreams", "many", "Granary__Http__MaxStreams is 'many': a whole number up to 2147483647 is wanted.")]
    [InlineData("Live:MaxSubscribers", "0", "Granary__Live__MaxSubscribers is 0: 1 to 1000000 is wanted.")]
    [InlineData("HttpUrl", "nonsense", "Granary__HttpUrl is 'nonsense': a URL like http://127.0.0.1:8080 is wanted.")]
    [InlineData("ClusterId", " ", "Granary__ClusterId is empty.")]
    [InlineData("Clusterid2", "1", "Granary__Clusterid2 is '1': there is no such setting.")]
    public void Wrong_OfAWrongSetting_NamesItAndItsValue(string name, string value, string sentence) => Assert.Equal([sentence], Wrong((name, value)));

    /// <summary>A setting that silos get is passed over by the edge from then on, and one that both have is looked at by both.</summary>
    [Fact]
    public void OfSilosAlone_AreAllThatTheEdgeHasNot()
    {
        var silo = SettingsCheck.Sections.Select(section => section.Name).Concat(NamesOf(typeof(SiloSettings)));
        string[] edge = ["", "Kafka", "Http", "Live", .. NamesOf(typeof(EdgeSettings))];
        Assert.Equal(silo.Except(edge).Order(StringComparer.Ordinal), EdgeSettingsCheck.OfSilosAlone.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> NamesOf(Type options) => options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.SetMethod is { IsPublic: true })
        .Select(property => property.Name);

    private static IEnumerable<string> Wrong(params (string Name, string Value)[] settings) => EdgeSettingsCheck.Wrong(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create<string, string?>($"Granary:{setting.Name}", setting.Value)))
        .Build());
}

using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Apis;
using Microsoft.Extensions.Options;

namespace Granary.Unit.Gateway.Apis;

public sealed class ConfigListingTests
{
    private static readonly ConfigListing s_listing = new(Options.Create(new KafkaOptions()));

    [Fact]
    public void OfTopic_WithoutOverrides_ListsEveryConfigWithItsDefault()
    {
        var configs = s_listing.OfTopic(ImmutableDictionary<string, string>.Empty).ToList();

        Assert.Equal(TopicConfigs.Definitions.Select(definition => definition.Name), configs.Select(config => config.Name));
        Assert.All(configs, config => Assert.Equal(ConfigSource.Default, config.Source));
        Assert.All(configs, config => Assert.NotNull(config.Value));
        Assert.All(configs, config => Assert.NotEmpty(config.Documentation));
        Assert.All(configs, config => Assert.False(config.IsReadOnly));
    }

    [Fact]
    public void OfTopic_WithAnOverride_ListsItBeforeItsDefault()
    {
        var overrides = ImmutableDictionary<string, string>.Empty.Add("retention.ms", "1000");

        var retention = Assert.Single(s_listing.OfTopic(overrides), config => config.Name == "retention.ms");

        Assert.Equal("1000", retention.Value);
        Assert.Equal(ConfigSource.DynamicTopic, retention.Source);
        Assert.Equal(ConfigType.Long, retention.Type);
        Assert.Equal(
            [
                new ConfigSynonym("retention.ms", "1000", ConfigSource.DynamicTopic),
                new ConfigSynonym("log.retention.ms", "604800000", ConfigSource.Default),
            ],
            retention.Synonyms);
    }

    [Fact]
    public void OfTopic_WithAnOverrideThatEqualsTheDefault_IsStillTheTopicsOwn()
    {
        var overrides = ImmutableDictionary<string, string>.Empty.Add("retention.ms", "604800000");

        var retention = Assert.Single(s_listing.OfTopic(overrides), config => config.Name == "retention.ms");

        Assert.Equal(ConfigSource.DynamicTopic, retention.Source);
    }

    [Theory]
    [InlineData("num.partitions", "1", ConfigType.Int)]
    [InlineData("auto.create.topics.enable", "true", ConfigType.Boolean)]
    [InlineData("message.max.bytes", "1048588", ConfigType.Int)]
    [InlineData("log.retention.ms", "604800000", ConfigType.Long)]
    [InlineData("log.retention.bytes", "-1", ConfigType.Long)]
    [InlineData("log.segment.bytes", "1073741824", ConfigType.Int)]
    [InlineData("default.replication.factor", "1", ConfigType.Int)]
    public void OfBroker_ListsWhatClientsLookFor(string name, string value, ConfigType type)
    {
        var config = Assert.Single(s_listing.OfBroker(1), config => config.Name == name);

        Assert.Equal(value, config.Value);
        Assert.Equal(type, config.Type);
        Assert.Equal(ConfigSource.Default, config.Source);
        Assert.True(config.IsReadOnly);
    }

    [Fact]
    public void OfBroker_WithAnOption_SaysThatItWasSet()
    {
        var config = Assert.Single(s_listing.OfBroker(4), config => config.Name == "num.partitions");

        Assert.Equal("4", config.Value);
        Assert.Equal(ConfigSource.StaticBroker, config.Source);
        Assert.Equal(
            [
                new ConfigSynonym("num.partitions", "4", ConfigSource.StaticBroker),
                new ConfigSynonym("num.partitions", "1", ConfigSource.Default),
            ],
            config.Synonyms);
    }

    [Fact]
    public void Choose_WithKeys_ListsThoseThatExist()
    {
        var all = s_listing.OfBroker(1).ToList();

        Assert.Equal(["node.id"], DescribeConfigsApi.Choose(all, ["node.id", "no.such.config"]).Select(config => config.Name));
        Assert.Equal(all, DescribeConfigsApi.Choose(all, null));
        Assert.Equal(all, DescribeConfigsApi.Choose(all, []));
    }
}

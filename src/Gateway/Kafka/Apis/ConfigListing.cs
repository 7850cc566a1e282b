using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>Where a config's value comes from, with Kafka's numbers (KIP-226).</summary>
internal enum ConfigSource : sbyte
{
    DynamicTopic = 1,
    DynamicBroker = 2,
    StaticBroker = 4,
    Default = 5,
}

/// <summary>One place a value may come from, and the value it has there.</summary>
internal readonly record struct ConfigSynonym(string Name, string? Value, ConfigSource Source);

/// <param name="Value">As Kafka writes it; null where there is none.</param>
/// <param name="Synonyms">All places the value may come from, the one that counts first.</param>
internal sealed record ListedConfig(
    string Name,
    string? Value,
    ConfigSource Source,
    ConfigType Type,
    bool IsReadOnly,
    string Documentation,
    ImmutableArray<ConfigSynonym> Synonyms);

/// <summary>Configs as DescribeConfigs and CreateTopics list them: every config there is, with its value and where that comes from.</summary>
internal sealed class ConfigListing(IOptions<KafkaOptions> options)
{
    /// <summary>A topic's configs; <paramref name="overrides"/> are those that were set on it.</summary>
    public IEnumerable<ListedConfig> OfTopic(ImmutableDictionary<string, string> overrides) =>
        TopicConfigs.Definitions.Select(definition => OfTopic(definition, overrides.GetValueOrDefault(definition.Name)));

    /// <summary>The configs of this process, none of which can be changed while it runs.</summary>
    /// <param name="defaultPartitionCount">num.partitions, as the catalog says it.</param>
    public IEnumerable<ListedConfig> OfBroker(int defaultPartitionCount) => BrokerConfigs.List(options.Value, defaultPartitionCount);

    internal static ListedConfig OfTopic(TopicConfigDefinition definition, string? topicValue)
    {
        var fallback = new ConfigSynonym(definition.BrokerName ?? definition.Name, definition.Default, ConfigSource.Default);
        ImmutableArray<ConfigSynonym> synonyms = topicValue is null
            ? [fallback]
            : [new ConfigSynonym(definition.Name, topicValue, ConfigSource.DynamicTopic), fallback];
        return new ListedConfig(
            definition.Name,
            synonyms[0].Value,
            synonyms[0].Source,
            definition.Type,
            IsReadOnly: false,
            definition.Documentation,
            synonyms);
    }
}

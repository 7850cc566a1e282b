using System.Collections.Immutable;
using System.Globalization;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// What DescribeConfigs says of a broker: this process's options under Kafka's names, what the catalog creates topics with, and the
/// brokers' names of the topics' defaults.
/// All are read-only. Only what clients and tools look for is listed.
/// </summary>
internal static class BrokerConfigs
{
    public static ImmutableArray<ListedConfig> List(KafkaOptions options, int defaultPartitionCount)
    {
        var defaults = new KafkaOptions();
        var listed = new List<ListedConfig>
        {
            Option("num.partitions", ConfigType.Int, defaultPartitionCount, 1,
                "Partitions of a topic that is created without a number of its own."),
            Option("auto.create.topics.enable", ConfigType.Boolean, options.AutoCreateTopics, defaults.AutoCreateTopics,
                "Whether a client that asks for a topic's metadata may create it by that."),
            Option("socket.request.max.bytes", ConfigType.Int, options.MaxFrameBytes, defaults.MaxFrameBytes,
                "The largest request."),
            Option("max.connections", ConfigType.Int, options.MaxConnections, defaults.MaxConnections,
                "Connections that are open at one time."),
            Option("connections.max.idle.ms", ConfigType.Long, Milliseconds(options.IdleTimeout), Milliseconds(defaults.IdleTimeout),
                "A connection that is silent for so long is closed."),
            Option("max.incremental.fetch.session.cache.slots", ConfigType.Int, options.FetchSessionSlots, defaults.FetchSessionSlots,
                "Incremental fetch sessions that are kept at one time."),
            Option("max.request.partition.size.limit", ConfigType.Int, options.MaxPartitionsPerPage, defaults.MaxPartitionsPerPage,
                "Partitions in one answer of DescribeTopicPartitions."),
            Fixed("node.id", ConfigType.Int, Write(options.NodeId), "This broker's number."),
            Fixed("broker.id", ConfigType.Int, Write(options.NodeId), "This broker's number."),
            Fixed("default.replication.factor", ConfigType.Int, "1", "PostgreSQL keeps the copies; a topic has one replica here."),
            Fixed("delete.topic.enable", ConfigType.Boolean, "true", "Topics can be deleted."),
        };

        // What a topic falls back to, under the names that brokers have for it.
        var names = listed.Select(config => config.Name).ToHashSet();
        foreach (var definition in TopicConfigs.Definitions)
        {
            if (definition.BrokerName is { } brokerName && names.Add(brokerName))
                listed.Add(Fixed(brokerName, definition.Type, definition.Default, definition.Documentation));
        }

        return [.. listed.OrderBy(config => config.Name, StringComparer.Ordinal)];
    }

    /// <summary>An option of the process; its source is told by whether it differs from the default.</summary>
    private static ListedConfig Option<T>(string name, ConfigType type, T value, T defaultValue, string documentation)
        where T : notnull
    {
        var fallback = new ConfigSynonym(name, Write(defaultValue), ConfigSource.Default);
        return EqualityComparer<T>.Default.Equals(value, defaultValue)
            ? new ListedConfig(name, fallback.Value, ConfigSource.Default, type, IsReadOnly: true, documentation, [fallback])
            : new ListedConfig(
                name,
                Write(value),
                ConfigSource.StaticBroker,
                type,
                IsReadOnly: true,
                documentation,
                [new ConfigSynonym(name, Write(value), ConfigSource.StaticBroker), fallback]);
    }

    private static ListedConfig Fixed(string name, ConfigType type, string? value, string documentation) =>
        new(name, value, ConfigSource.Default, type, IsReadOnly: true, documentation, [new ConfigSynonym(name, value, ConfigSource.Default)]);

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static string Write<T>(T value) => value switch
    {
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value?.ToString() ?? "",
    };
}

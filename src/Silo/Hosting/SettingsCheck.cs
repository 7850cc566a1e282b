using System.ComponentModel;
using System.Reflection;
using Granary.Gateway.Http;
using Granary.Gateway.Http.Live;
using Granary.Gateway.Kafka;
using Granary.Grains.Groups;
using Granary.Grains.Idempotency;
using Granary.Grains.Partitions;
using Granary.Grains.Replay;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Granary.Grains.Topics;

namespace Granary.Silo.Hosting;

/// <summary>
/// Looks through all settings below `Granary` before anything is started: a name that no options class has, a value that is not of its
/// kind, a value out of its range. Otherwise a misspelt limit would be a limit that silently does not hold.
/// </summary>
internal static class SettingsCheck
{
    private const string Root = SettingsSection.Root;

    /// <summary>What the options classes have and composition decides: no settings.</summary>
    private static readonly HashSet<string> s_decided = new(StringComparer.OrdinalIgnoreCase)
    {
        $"{Root}:Kafka:{nameof(KafkaOptions.NodeId)}", $"{Root}:Kafka:{nameof(KafkaOptions.ClusterId)}", $"{Root}:Kafka:{nameof(KafkaOptions.IsEdge)}",
    };

    /// <summary>The sections below `Granary`, the empty name being `Granary` itself, with the class that each is read into.</summary>
    public static IReadOnlyList<SettingsSection> Sections { get; } =
    [
        SettingsSection.Of<SiloSettings>("", settings => settings.Validate()),
        SettingsSection.Of<KafkaOptions>("Kafka", options => options.Validate()),
        SettingsSection.Of<HttpOptions>("Http", options => options.Validate()),
        SettingsSection.Of<LiveOptions>("Live", options => options.Validate()),
        SettingsSection.Of<TopicOptions>("Topics", options => options.Validate()),
        SettingsSection.Of<PartitionOptions>("Partitions", options => options.Validate()),
        SettingsSection.Of<StorageOptions>("Storage", options => options.Validate()),
        SettingsSection.Of<PlacementOptions>("Placement", options => options.Validate()),
        SettingsSection.Of<GroupOptions>("Groups", options => options.Validate()),
        SettingsSection.Of<ConsumerGroupOptions>("ConsumerGroups", options => options.Validate()),
        SettingsSection.Of<ReplayOptions>("Replay", options => options.Validate()),
        SettingsSection.Of<IdempotencyOptions>("Idempotency", options => options.Validate()),
    ];

    /// <summary>What is wrong, a sentence each, with the setting's name as an environment variable has it; empty where nothing is.</summary>
    public static IEnumerable<string> Wrong(IConfiguration configuration) => Sections.SelectMany(section => Wrong(section, configuration));

    /// <summary>Whether configuration has a say in that property.</summary>
    public static bool IsSetting(string path) => !s_decided.Contains(path);

    private static IEnumerable<string> Wrong(SettingsSection settings, IConfiguration configuration)
    {
        var section = configuration.GetSection(settings.Path);
        var prefix = section.Path.Replace(":", "__", StringComparison.Ordinal) + "__";
        var wrong = section.GetChildren()
            .Where(child => settings.Name.Length > 0 || !Sections.Any(other => other.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase)))
            .Select(child => IsSetting(child.Path) ? Check(settings.Options, child) : Unknown(child))
            .OfType<string>()
            .ToList();
        if (wrong.Count == 0)
            wrong = [.. settings.Validate(section)];
        return wrong.Select(sentence => prefix + sentence);
    }

    private static string Unknown(IConfigurationSection setting) => $"{setting.Key} is '{setting.Value}': there is no such setting.";

    private static string? Check(Type options, IConfigurationSection setting)
    {
        var property = options.GetProperty(setting.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
        if (property?.PropertyType is { IsGenericType: true } list && list.GetGenericTypeDefinition() == typeof(List<>))
            return setting.GetChildren().SelectMany(item => item.GetChildren().Select(one => Check(list.GenericTypeArguments[0], one) is { } wrong ? $"{property.Name}__{item.Key}__{wrong}" : null)).FirstOrDefault(wrong => wrong is not null);
        if (property?.SetMethod is null || setting.Value is null)
            return Unknown(setting);
        try
        {
            TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(setting.Value);
            return null;
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or NotSupportedException or OverflowException)
        {
            return $"{property.Name} is '{setting.Value}': {KindOf(property.PropertyType)} is wanted.";
        }
    }

    private static string KindOf(Type type) => type switch
    {
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) => $"a whole number up to {int.MaxValue}",
        _ when type == typeof(long) => "a whole number",
        _ when type == typeof(double) => "a number",
        _ when type == typeof(TimeSpan) => "a time like 00:00:30 (hours:minutes:seconds)",
        { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(type))}",
        _ => type.Name,
    };
}

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
    private const string Root = "Granary";

    /// <summary>What is wrong, a sentence each, with the setting's name as an environment variable has it; empty where nothing is.</summary>
    public static IEnumerable<string> Wrong(IConfiguration configuration) =>
    [
        .. Wrong<SiloSettings>(configuration, "", settings => settings.Validate(), "Storage", "Partitions", "Placement", "Groups", "ConsumerGroups", "Replay", "Topics", "Kafka", "Live", "Http", "Idempotency"),
        .. Wrong<StorageOptions>(configuration, "Storage", options => options.Validate()),
        .. Wrong<PartitionOptions>(configuration, "Partitions", options => options.Validate()),
        .. Wrong<PlacementOptions>(configuration, "Placement", options => options.Validate()),
        .. Wrong<GroupOptions>(configuration, "Groups", options => options.Validate()),
        .. Wrong<ConsumerGroupOptions>(configuration, "ConsumerGroups", options => options.Validate()),
        .. Wrong<ReplayOptions>(configuration, "Replay", options => options.Validate()),
        .. Wrong<TopicOptions>(configuration, "Topics", options => options.Validate()),
        .. Wrong<LiveOptions>(configuration, "Live", options => options.Validate()),
        .. Wrong<HttpOptions>(configuration, "Http", options => options.Validate()),
        .. Wrong<IdempotencyOptions>(configuration, "Idempotency", options => options.Validate()),
        .. Wrong<KafkaOptions>(configuration, "Kafka", options => options.Validate()),
    ];

    private static IEnumerable<string> Wrong<T>(IConfiguration configuration, string name, Func<T, IEnumerable<string>> validate, params string[] sections)
        where T : class, new()
    {
        var section = configuration.GetSection(name.Length == 0 ? Root : $"{Root}:{name}");
        var prefix = section.Path.Replace(":", "__", StringComparison.Ordinal) + "__";
        var wrong = section.GetChildren()
            .Where(child => !sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            .Select(child => Check(typeof(T), child))
            .OfType<string>()
            .ToList();
        if (wrong.Count == 0)
            wrong = [.. validate(section.Get<T>() ?? new T())];
        return wrong.Select(sentence => prefix + sentence);
    }

    private static string? Check(Type options, IConfigurationSection setting)
    {
        var property = options.GetProperty(setting.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
        if (property?.PropertyType is { IsGenericType: true } list && list.GetGenericTypeDefinition() == typeof(List<>))
            return setting.GetChildren().SelectMany(item => item.GetChildren().Select(one => Check(list.GenericTypeArguments[0], one) is { } wrong ? $"{property.Name}__{item.Key}__{wrong}" : null)).FirstOrDefault(wrong => wrong is not null);
        if (property?.SetMethod is null || setting.Value is null)
            return $"{setting.Key} is '{setting.Value}': there is no such setting.";
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

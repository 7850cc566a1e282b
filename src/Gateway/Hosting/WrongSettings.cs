using System.ComponentModel;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Granary.Gateway.Hosting;

/// <summary>
/// Looks through all settings below `Granary` before anything is started: a name that no options class has, a value that is not of its
/// kind, a value out of its range. Otherwise a misspelt limit would be a limit that silently does not hold.
/// </summary>
internal static class WrongSettings
{
    /// <summary>What is wrong, a sentence each, with the setting's name as an environment variable has it; empty where nothing is.</summary>
    /// <param name="sections">Those of the program.</param>
    /// <param name="passedOver">Names directly below `Granary` that are another program's.</param>
    public static IEnumerable<string> Of(IConfiguration configuration, IReadOnlyList<SettingsSection> sections, params string[] passedOver)
    {
        string[] elsewhere = [.. passedOver, .. sections.Select(section => section.Name)];
        return sections.SelectMany(section => In(section, configuration, section.Name.Length == 0 ? elsewhere : []));
    }

    private static IEnumerable<string> In(SettingsSection settings, IConfiguration configuration, string[] elsewhere)
    {
        var section = configuration.GetSection(settings.Path);
        var prefix = section.Path.Replace(":", "__", StringComparison.Ordinal) + "__";
        var wrong = section.GetChildren()
            .Where(child => !elsewhere.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            .Select(child => settings.Decided.Contains(child.Key, StringComparer.OrdinalIgnoreCase) ? Unknown(child) : Check(settings.Options, child))
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

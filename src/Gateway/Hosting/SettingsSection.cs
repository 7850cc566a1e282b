using Microsoft.Extensions.Configuration;

namespace Granary.Gateway.Hosting;

/// <summary>A section of the configuration and the class that it is read into.</summary>
/// <param name="Name">Below <see cref="Root"/>; empty: all of it.</param>
/// <param name="Options">A class whose defaults are those of the settings.</param>
/// <param name="Validate">What is wrong with the values that the section gives, a sentence each.</param>
/// <param name="Decided">What the class has and composition decides: no settings.</param>
internal sealed record SettingsSection(string Name, Type Options, Func<IConfigurationSection, IEnumerable<string>> Validate, IReadOnlyList<string> Decided)
{
    public const string Root = "Granary";

    public string Path => Name.Length == 0 ? Root : $"{Root}:{Name}";

    public static SettingsSection Of<T>(string name, Func<T, IEnumerable<string>> validate, params string[] decided)
        where T : class, new() => new(name, typeof(T), section => validate(section.Get<T>() ?? new T()), decided);
}

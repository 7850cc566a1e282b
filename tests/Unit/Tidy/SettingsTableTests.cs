using System.Collections;
using System.Globalization;
using System.Reflection;
using Granary.Silo.Hosting;

namespace Granary.Unit.Tidy;

/// <summary>docs/SETTINGS.md has every setting that a silo takes, with the default that the code has, and no other; README.md's few rows are true as well.</summary>
public sealed class SettingsTableTests
{
    private const string Reference = "docs/SETTINGS.md";

    [Fact]
    public void Reference_HasARowForEachSetting_WithItsDefault()
    {
        var rows = Rows(Reference);
        string[] missing = [.. Wanted().Where(row => !rows.Exists(line => line.StartsWith(row, StringComparison.Ordinal)))];
        Assert.True(missing.Length == 0, $"{Reference} lacks:\n{string.Join('\n', missing)}");
    }

    [Theory]
    [InlineData(Reference)]
    [InlineData("README.md")]
    public void Page_NamesNoSettingThatThereIsNot_AndNoOtherDefault(string page)
    {
        string[] wanted = [.. Wanted()];
        string[] untrue = [.. Rows(page).Where(line => !wanted.Any(row => line.StartsWith(row, StringComparison.Ordinal)))];
        Assert.True(untrue.Length == 0, $"{page} has, but the code has not:\n{string.Join('\n', untrue)}");
    }

    [Theory]
    [InlineData(Reference)]
    [InlineData("README.md")]
    public void Page_NamesASettingOnce_AndSaysWhatItIs(string page)
    {
        var rows = Rows(page);
        Assert.NotEmpty(rows);
        Assert.Empty(rows.GroupBy(row => row.Split('`')[1]).Where(same => same.Count() > 1).Select(same => same.Key));
        Assert.DoesNotContain(rows, row => row.Split('|')[3].Trim().Length < 10);
    }

    private static List<string> Rows(string page) => [.. SourceTree.Lines(page).Where(line => line.StartsWith("| `Granary:", StringComparison.Ordinal))];

    private static IEnumerable<string> Wanted() => SettingsCheck.Sections.SelectMany(section => RowsOf(section.Path, Activator.CreateInstance(section.Options)!));

    private static IEnumerable<string> RowsOf(string path, object defaults)
    {
        foreach (var property in defaults.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = $"{path}:{property.Name}";
            if (property.SetMethod is not { IsPublic: true } || !SettingsCheck.IsSetting(name))
                continue;
            if (property.PropertyType != typeof(string) && property.PropertyType.IsAssignableTo(typeof(IEnumerable)))
            {
                foreach (var row in RowsOf($"{name}:0", Activator.CreateInstance(property.PropertyType.GenericTypeArguments[0])!))
                    yield return row;
            }
            else
            {
                yield return $"| `{name}` | {Shown(property.Name, property.GetValue(defaults))} |";
            }
        }
    }

    private static string Shown(string name, object? value) => value switch
    {
        null or "" => "none",
        TimeSpan time => Shown(time),
        bool flag => flag ? "`true`" : "`false`",
        int or long when name.Contains("Bytes", StringComparison.Ordinal) => Bytes(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        int port when name.EndsWith("Port", StringComparison.Ordinal) => port.ToString(CultureInfo.InvariantCulture),
        int or long => ((IFormattable)value).ToString("#,0", CultureInfo.InvariantCulture),
        IFormattable number and not Enum => $"{number.ToString(null, CultureInfo.InvariantCulture)}",
        _ => $"`{value}`",
    };

    private static string Shown(TimeSpan time) => FormattableString.Invariant(time switch
    {
        { Ticks: 0 } => (FormattableString)$"0",
        { TotalDays: >= 1 } => $"{time.TotalDays:0.##} d",
        { TotalHours: >= 1 } => $"{time.TotalHours:0.##} h",
        { TotalMinutes: >= 1 } => $"{time.TotalMinutes:0.##} min",
        { TotalSeconds: >= 1 } => $"{time.TotalSeconds:0.##} s",
        _ => $"{time.TotalMilliseconds:0.##} ms",
    });

    private static string Bytes(long bytes) => bytes switch
    {
        >= 1 << 30 when bytes % (1 << 30) == 0 => $"{bytes >> 30} GB",
        >= 1 << 20 when bytes % (1 << 20) == 0 => $"{bytes >> 20} MB",
        >= 1 << 10 when bytes % (1 << 10) == 0 => $"{bytes >> 10} KB",
        _ => $"{bytes.ToString("#,0", CultureInfo.InvariantCulture)} B",
    };
}

using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Granary.Unit.Tidy;

/// <summary>The walls of the house, as a test: who may use whom, and how large a room may grow. See docs/ARCHITECTURE.md.</summary>
public sealed partial class TidyTests
{
    private const int MaxFileLines = 400;
    private const int MaxMethodLines = 70;

    /// <summary>For each project: the projects it may reference, and name prefixes of namespaces that it must not use.</summary>
    private static readonly (string Project, string[] MayReference, string[] MustNotUse)[] s_walls =
    [
        ("src/Grains.Abstractions", [], ["Npgsql", "Microsoft.AspNetCore", "Granary.Grains", "Granary.Gateway", "Granary.Silo"]),
        ("src/Grains", ["Grains.Abstractions"], ["Microsoft.AspNetCore", "Granary.Gateway", "Granary.Silo"]),
        ("src/Gateway", ["Grains.Abstractions", "Gateway.Generator"], ["Npgsql", "Granary.Grains", "Granary.Silo"]),
        ("src/Silo", ["Grains", "Gateway", "Grains.Abstractions"], []),
    ];

    /// <summary>Folders of src/Grains that the others stand on; these import none.</summary>
    private static readonly string[] s_foundations = ["Storage", "Placement"];

    [Fact]
    public void Projects_ReferenceOnlyWhatTheirWallAllows()
    {
        var wrong = new List<string>();
        foreach (var (project, mayReference, _) in s_walls)
        {
            foreach (var file in SourceTree.Files(project, "*.csproj"))
            {
                var referenced = XDocument.Load(Path.Combine(SourceTree.Root, file)).Descendants("ProjectReference")
                    .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
                wrong.AddRange(referenced.Except(mayReference).Select(other => $"{file} references {other}"));
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Projects_UseNoForbiddenNamespace()
    {
        var wrong = new List<string>();
        foreach (var (project, _, mustNotUse) in s_walls)
        {
            foreach (var file in SourceTree.Files(project, "*.cs"))
                wrong.AddRange(UsingsOf(file).Where(name => mustNotUse.Any(prefix => IsUnder(name, prefix))).Select(name => $"{file} uses {name}"));
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Npgsql_IsUsedInStorageOnly()
    {
        var wrong = SourceTree.Files("src/Grains", "*.cs")
            .Where(file => !file.StartsWith("src/Grains/Storage/", StringComparison.Ordinal))
            .Where(file => UsingsOf(file).Any(name => IsUnder(name, "Npgsql")));
        Assert.Empty(wrong);
    }

    /// <summary>
    /// The gateway names the package and never uses it (see above): when it is a program of its own, Orleans' clustering loads it by name.
    /// </summary>
    [Fact]
    public void Npgsql_IsReferencedByStorageAndTheEdgeOnly()
    {
        var referencing = SourceTree.Files("src", "*.csproj")
            .Where(file => XDocument.Load(Path.Combine(SourceTree.Root, file)).Descendants("PackageReference")
                .Any(reference => reference.Attribute("Include")!.Value == "Npgsql"));
        Assert.Equal(["src/Gateway/Gateway.csproj", "src/Grains/Grains.csproj"], referencing.Order());
    }

    [Fact]
    public void FeatureFolders_DoNotImportOneAnother()
    {
        var features = Directory.GetDirectories(Path.Combine(SourceTree.Root, "src/Grains"))
            .Select(Path.GetFileName)
            .Where(name => name is not ("bin" or "obj"))
            .ToArray();
        var wrong = new List<string>();
        foreach (var feature in features)
        {
            foreach (var file in SourceTree.Files($"src/Grains/{feature}", "*.cs"))
            {
                var others = features.Where(other => other != feature && (!s_foundations.Contains(other) || s_foundations.Contains(feature)));
                wrong.AddRange(UsingsOf(file)
                    .Where(name => others.Any(other => IsUnder(name, $"Granary.Grains.{other}")))
                    .Select(name => $"{file} uses {name}"));
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void KafkaAndHttp_NeverMeet()
    {
        var kafka = SourceTree.Files("src/Gateway/Kafka", "*.cs").Where(file => UsingsOf(file).Any(name => IsUnder(name, "Granary.Gateway.Http")));
        var http = SourceTree.Files("src/Gateway/Http", "*.cs").Where(file => UsingsOf(file).Any(name => IsUnder(name, "Granary.Gateway.Kafka")));
        Assert.Empty(kafka.Concat(http));
    }

    [Fact]
    public void Namespaces_EqualFolders()
    {
        var wrong = new List<string>();
        foreach (var (project, _, _) in s_walls)
        {
            foreach (var file in SourceTree.Files(project, "*.cs"))
            {
                var declared = SourceTree.Lines(file).Select(line => NamespaceLine().Match(line)).FirstOrDefault(match => match.Success)?.Groups[1].Value;
                var folder = Path.GetDirectoryName(file)!.Replace('\\', '/')["src/".Length..];
                var expected = "Granary." + folder.Replace("Grains.Abstractions", "Abstractions").Replace('/', '.');
                if (declared is not null && declared != expected)
                    wrong.Add($"{file}: {declared} instead of {expected}");
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Files_StaySmall()
    {
        var wrong = SourceTree.Files("src", "*.cs").Concat(SourceTree.Files("tests", "*.cs"))
            .Select(file => (file, lines: SourceTree.Lines(file).Length))
            .Where(found => found.lines > MaxFileLines)
            .Select(found => $"{found.file}: {found.lines} lines");
        Assert.Empty(wrong);
    }

    [Fact]
    public void Methods_StaySmall()
    {
        var wrong = new List<string>();
        foreach (var file in SourceTree.Files("src", "*.cs"))
            wrong.AddRange(MethodLengths.LongerThan(MaxMethodLines, SourceTree.Lines(file)).Select(found => $"{file}:{found.Line} has {found.Length} lines"));
        Assert.Empty(wrong);
    }

    [Fact]
    public void Names_SayWhatAThingIs()
    {
        var wrong = SourceTree.Files("src", "*.cs")
            .Where(file => EmptyName().IsMatch(Path.GetFileNameWithoutExtension(file)));
        Assert.Empty(wrong);
    }

    [Fact]
    public void Tests_DoNotSleep()
    {
        var banned = "Thread" + ".Sleep";
        var wrong = SourceTree.Files("tests", "*.cs").Concat(SourceTree.Files("src", "*.cs"))
            .Where(file => SourceTree.Lines(file).Any(line => line.Contains(banned, StringComparison.Ordinal)));
        Assert.Empty(wrong);
    }

    private static IEnumerable<string> UsingsOf(string file) =>
        SourceTree.Lines(file).Select(line => UsingLine().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);

    private static bool IsUnder(string name, string prefix) =>
        name == prefix || (name.StartsWith(prefix, StringComparison.Ordinal) && name[prefix.Length] == '.' && !name.StartsWith("Granary.Grains.Abstractions", StringComparison.Ordinal));

    [GeneratedRegex(@"^\s*(?:global )?using (?:static )?(?:\w+ = )?([A-Za-z][\w.]*);")]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"^namespace ([\w.]+)")]
    private static partial Regex NamespaceLine();

    [GeneratedRegex("(Manager|Helper|Helpers|Util|Utils|Service|Base|Impl)$")]
    private static partial Regex EmptyName();
}

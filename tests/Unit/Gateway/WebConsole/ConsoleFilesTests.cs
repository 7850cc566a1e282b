using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Granary.Gateway.WebConsole;
using Granary.Unit.Tidy;

namespace Granary.Unit.Gateway.WebConsole;

/// <summary>What lies in the console's folder: libraries as they were published, and no way for a value to become markup.</summary>
public sealed partial class ConsoleFilesTests
{
    private const string Root = "src/Gateway/WebConsole/wwwroot";
    private const int MaxScriptLines = 400;

    private static readonly string[] s_markup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment", "eval(", "new Function", "setHTML"];

    /// <summary>libraries.json names package, version, file inside of it, and hash; nobody changed a byte since.</summary>
    [Fact]
    public void Libraries_AreThoseThatTheListNames()
    {
        using var list = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SourceTree.Root, Root, "lib", "libraries.json")));
        var named = new List<string>();
        foreach (var library in list.RootElement.EnumerateArray())
        {
            var file = library.GetProperty("file").GetString()!;
            named.Add($"{Root}/lib/{file}");
            Assert.Contains(library.GetProperty("version").GetString()!, file);
            Assert.True(File.Exists(Path.Combine(SourceTree.Root, Root, "lib", library.GetProperty("licenceFile").GetString()!)));
            var hash = SHA256.HashData(File.ReadAllBytes(Path.Combine(SourceTree.Root, Root, "lib", file)));
            Assert.Equal(library.GetProperty("sha256").GetString(), Convert.ToHexStringLower(hash));
        }

        Assert.Equal(SourceTree.Files($"{Root}/lib", "*.mjs"), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ImportMap_NamesFilesThatAreThere()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, Root, "index.html"));
        var files = ConsoleFile.ReadAll().Select(file => $"/console/{file.Name}").ToHashSet();
        var wanted = Address().Matches(page).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(wanted);
        Assert.All(wanted, address => Assert.Contains(address, files));
    }

    [Fact]
    public void Scripts_ShowValuesAsTextOnly()
    {
        var wrong = Scripts().SelectMany(file => s_markup.Where(word => File.ReadAllText(Path.Combine(SourceTree.Root, file)).Contains(word, StringComparison.OrdinalIgnoreCase)).Select(word => $"{file}: {word}"));
        Assert.Empty(wrong.Concat(Scripts().Where(file => File.ReadAllText(Path.Combine(SourceTree.Root, file)).Contains("dangerouslySet", StringComparison.Ordinal))));
    }

    [Fact]
    public void Scripts_ImportWhatIsThere_AndStaySmall()
    {
        foreach (var file in Scripts())
        {
            var lines = SourceTree.Lines(file);
            Assert.True(lines.Length <= MaxScriptLines, $"{file}: {lines.Length} lines");
            foreach (var import in lines.Select(line => RelativeImport().Match(line)).Where(match => match.Success))
                Assert.True(File.Exists(Path.GetFullPath(Path.Combine(SourceTree.Root, Path.GetDirectoryName(file)!, import.Groups[1].Value))), $"{file} imports {import.Groups[1].Value}");
        }
    }

    [Fact]
    public void Policy_KnowsTheImportMap()
    {
        var page = ConsoleFile.ReadAll().Single(file => file.Name == "index.html");
        var map = ImportMap().Match(Encoding.UTF8.GetString(page.Content)).Groups[1].Value;
        var policy = ConsoleResource.PolicyOf(page);
        Assert.Contains($"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(map)))}'", policy);
        Assert.DoesNotContain("unsafe", policy);
    }

    private static IEnumerable<string> Scripts() => SourceTree.Files(Root, "*.js");

    [GeneratedRegex("\"(/console/[^\"]+)\"")]
    private static partial Regex Address();

    [GeneratedRegex("from '(\\.[^']+)'")]
    private static partial Regex RelativeImport();

    [GeneratedRegex("<script type=\"importmap\">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex ImportMap();
}

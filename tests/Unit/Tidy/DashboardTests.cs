using System.Text.Json;
using System.Text.RegularExpressions;

namespace Granary.Unit.Tidy;

/// <summary>The Grafana dashboard as Grafana's dashboard model (kind "dashboard", version 0) wants it: it is to load without an edit, by import or provisioning.</summary>
public sealed partial class DashboardTests
{
    private const int Columns = 24;

    private static readonly JsonElement s_dashboard = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(SourceTree.Root, "deploy", "grafana", "granary.json")));

    private static IEnumerable<JsonElement> Panels => s_dashboard.GetProperty("panels").EnumerateArray();

    private static IEnumerable<JsonElement> Variables => s_dashboard.GetProperty("templating").GetProperty("list").EnumerateArray();

    [Fact]
    public void Datasource_IsAVariable_SoThatNoneHasToBeNamed()
    {
        // Inputs are asked for at import, and stay unfilled by provisioning; an id belongs to whom the file comes from.
        Assert.False(s_dashboard.TryGetProperty("__inputs", out _));
        Assert.False(s_dashboard.TryGetProperty("id", out var id) && id.ValueKind != JsonValueKind.Null);
        var variable = Assert.Single(Variables, one => one.GetProperty("type").GetString() == "datasource");
        Assert.Equal(("datasource", "prometheus"), (variable.GetProperty("name").GetString(), variable.GetProperty("query").GetString()));
        var sources = Panels.Where(panel => panel.GetProperty("type").GetString() != "row")
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray().Append(panel))
            .Concat(Variables.Where(one => one.GetProperty("type").GetString() == "query"))
            .Select(one => one.GetProperty("datasource"));
        Assert.All(sources, source => Assert.Equal(("prometheus", "${datasource}"), (source.GetProperty("type").GetString(), source.GetProperty("uid").GetString())));
    }

    [Fact]
    public void Panels_HaveIdsOfTheirOwn_AndPlacesThatDoNotOverlap()
    {
        Assert.True(s_dashboard.GetProperty("schemaVersion").GetInt32() >= 36, "older ones name datasources by text");
        var ids = Panels.Select(panel => panel.GetProperty("id").GetInt32()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        var taken = new HashSet<(int X, int Y)>();
        foreach (var panel in Panels)
        {
            var place = panel.GetProperty("gridPos");
            var (x, y, w, h) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32(), place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32());
            Assert.True(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= Columns, panel.GetProperty("title").GetString());
            foreach (var cell in Enumerable.Range(x, w).SelectMany(column => Enumerable.Range(y, h).Select(row => (column, row))))
                Assert.True(taken.Add(cell), $"{panel.GetProperty("title")} lies over another panel");
        }
    }

    [Fact]
    public void Queries_UseVariablesThatThereAre()
    {
        var known = Variables.Select(one => one.GetProperty("name").GetString()).ToHashSet();
        foreach (var panel in Panels.Where(panel => panel.GetProperty("type").GetString() != "row"))
        {
            var targets = panel.GetProperty("targets").EnumerateArray().ToList();
            Assert.NotEmpty(targets);
            Assert.Equal(targets.Count, targets.Select(target => target.GetProperty("refId").GetString()).Distinct().Count());
            foreach (var name in targets.SelectMany(target => Variable().Matches(target.GetProperty("expr").GetString()!)).Select(match => match.Groups[1].Value))
                Assert.True(name.StartsWith("__", StringComparison.Ordinal) || known.Contains(name), $"{panel.GetProperty("title")}: ${name}");
        }
    }

    [GeneratedRegex(@"\$\{?(\w+)")]
    private static partial Regex Variable();
}

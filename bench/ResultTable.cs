using System.Globalization;

namespace Granary.Bench;

/// <summary>Rows of one run: each figure with all of its rounds, the median, and what it was to reach.</summary>
internal sealed class ResultTable
{
    private readonly List<Row> _rows = [];

    /// <param name="shares">Cores used by client, silo and PostgreSQL meanwhile; the last round's are shown.</param>
    public void Add(string name, string unit, double value, string goal = "", string shares = "")
    {
        var row = _rows.Find(row => row.Name == name);
        if (row is null)
            _rows.Add(row = new Row(name, unit, goal));
        row.Rounds.Add(value);
        row.Shares = shares;
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {value:0.##} {unit}"));
    }

    public void Print(TextWriter to)
    {
        to.WriteLine("| figure | median | unit | goal | rounds | cores: client / silo / PostgreSQL |");
        to.WriteLine("|---|---|---|---|---|---|");
        foreach (var row in _rows)
        {
            var all = string.Join(", ", row.Rounds.Select(value => value.ToString("0.##", CultureInfo.InvariantCulture)));
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {row.Name} | {MedianOf(row.Rounds):0.##} | {row.Unit} | {row.Goal} | {all} | {row.Shares} |"));
        }
    }

    private static double MedianOf(List<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed record Row(string Name, string Unit, string Goal)
    {
        public List<double> Rounds { get; } = [];

        public string Shares { get; set; } = "";
    }
}

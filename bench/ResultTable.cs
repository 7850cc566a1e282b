using System.Globalization;

namespace Granary.Bench;

/// <summary>Rows of one run: each figure with all of its rounds, the median, and what it was to reach.</summary>
internal sealed class ResultTable
{
    private readonly List<(string Name, string Unit, List<double> Rounds, string Goal)> _rows = [];

    public void Add(string name, string unit, double value, string goal = "")
    {
        var at = _rows.FindIndex(row => row.Name == name);
        if (at < 0)
        {
            _rows.Add((name, unit, [], goal));
            at = _rows.Count - 1;
        }

        _rows[at].Rounds.Add(value);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {value:0.##} {unit}"));
    }

    public double Median(string name)
    {
        var rounds = _rows.Find(row => row.Name == name).Rounds;
        return rounds is null ? double.NaN : MedianOf(rounds);
    }

    public void Print(TextWriter to)
    {
        to.WriteLine("| figure | median | unit | goal | rounds |");
        to.WriteLine("|---|---|---|---|---|");
        foreach (var (name, unit, rounds, goal) in _rows)
        {
            var all = string.Join(", ", rounds.Select(value => value.ToString("0.##", CultureInfo.InvariantCulture)));
            to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {MedianOf(rounds):0.##} | {unit} | {goal} | {all} |"));
        }
    }

    private static double MedianOf(List<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}

using System.Text.RegularExpressions;

namespace Granary.Unit.Tidy;

/// <summary>
/// Finds long methods by layout alone: a member starts at one level of indentation inside a type with a parenthesis and ends at the
/// closing brace of the same indentation. The formatting check makes that layout certain.
/// </summary>
internal static partial class MethodLengths
{
    public static IEnumerable<(int Line, int Length)> LongerThan(int max, string[] lines)
    {
        for (var start = 0; start < lines.Length - 1; start++)
        {
            var head = MethodHead().Match(lines[start]);
            if (!head.Success)
                continue;
            var indent = head.Groups[1].Value;
            var open = Array.FindIndex(lines, start + 1, line => line == indent + "{" || line.EndsWith(';') || line.Length == 0);
            if (open < 0 || lines[open] != indent + "{")
                continue;
            var close = Array.FindIndex(lines, open, line => line.StartsWith(indent + "}", StringComparison.Ordinal));
            if (close - open - 1 > max)
                yield return (start + 1, close - open - 1);
        }
    }

    [GeneratedRegex(@"^( {4,8})(?:public|private|internal|protected|static|async|override|\[)[^;=]*\(")]
    private static partial Regex MethodHead();
}

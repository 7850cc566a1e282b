using System.Runtime.CompilerServices;
using Xunit;

namespace Granary.Unit.Records;

/// <summary>
/// Record batches that Kafka 4.0's own code wrote. They are not part of the repository: <c>GRANARY_VECTORS</c> names their folder, else
/// <c>../shared/vectors</c> beside it. Tests are skipped where they are absent.
/// </summary>
internal static class RecordVectors
{
    public static IReadOnlyDictionary<string, byte[]> Load()
    {
        var folder = Environment.GetEnvironmentVariable("GRANARY_VECTORS") ?? FindFolder();
        var file = folder is null ? null : Path.Combine(folder, "records.tsv");
        Assert.SkipUnless(File.Exists(file), "no records.tsv: set GRANARY_VECTORS to the folder of Kafka's recorded vectors");
        return File.ReadLines(file!)
            .Select(line => line.Split('\t'))
            .Where(columns => columns.Length >= 2)
            .ToDictionary(columns => columns[0], columns => Convert.FromHexString(columns[1]));
    }

    private static string? FindFolder([CallerFilePath] string source = "")
    {
        // The repository is named by its solution; worktrees of it may lie deeper than the repository itself.
        for (var folder = new FileInfo(source).Directory; folder is not null; folder = folder.Parent)
        {
            var beside = Path.Combine(folder.FullName, "shared", "vectors");
            if (Directory.Exists(beside))
                return beside;
        }

        return null;
    }
}

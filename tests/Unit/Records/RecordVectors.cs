using Granary.Unit.Tidy;

namespace Granary.Unit.Records;

/// <summary>Record batches that Kafka 4.0's own code wrote, by name. See <see cref="VectorFiles"/>; tests are skipped where they are absent.</summary>
internal static class RecordVectors
{
    public static IReadOnlyDictionary<string, byte[]> Load()
    {
        var file = VectorFiles.Find("records.tsv");
        Assert.SkipWhen(file is null, VectorFiles.Missing);
        return File.ReadLines(file!)
            .Select(line => line.Split('\t'))
            .Where(columns => columns.Length >= 2)
            .ToDictionary(columns => columns[0], columns => Convert.FromHexString(columns[1]));
    }
}

using Granary.Unit.Tidy;

namespace Granary.Unit.Wire;

/// <summary>
/// Frames that Apache Kafka 4.0's own code wrote: one for each API, version and direction. See <see cref="VectorFiles"/>.
/// </summary>
internal static class Vectors
{
    /// <param name="Kind">`req` or `resp`.</param>
    internal sealed record Vector(string Kind, short Key, string Api, short Version, byte[] Bytes, string Json);

    public static IReadOnlyList<Vector>? All { get; } = Load();

    private static List<Vector>? Load()
    {
        if (VectorFiles.Find("vectors.tsv") is not { } file)
            return null;
        return [.. File.ReadLines(file).Select(line => line.Split('\t')).Where(cells => cells.Length >= 7).Select(cells => new Vector(
            cells[0], short.Parse(cells[1]), cells[2], short.Parse(cells[3]), Convert.FromHexString(cells[5]), cells[6]))];
    }
}

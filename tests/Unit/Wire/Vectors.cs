using Granary.Unit.Tidy;

namespace Granary.Unit.Wire;

/// <summary>
/// Frames that Apache Kafka 4.0's own code wrote: one for each API, version and direction. They lie beside the repository
/// (`../shared/vectors`, or where GRANARY_VECTORS says); where they do not, the tests that need them say so.
/// </summary>
internal static class Vectors
{
    public const string Missing = "Kafka's own frames are not here: put vectors.tsv into ../shared/vectors or name its folder in GRANARY_VECTORS";

    /// <param name="Kind">`req` or `resp`.</param>
    internal sealed record Vector(string Kind, short Key, string Api, short Version, byte[] Bytes, string Json);

    public static IReadOnlyList<Vector>? All { get; } = Load();

    private static List<Vector>? Load()
    {
        var folder = Environment.GetEnvironmentVariable("GRANARY_VECTORS") ?? Path.Combine(SourceTree.Root, "../shared/vectors");
        var file = Path.Combine(folder, "vectors.tsv");
        if (!File.Exists(file))
            return null;
        return [.. File.ReadLines(file).Select(line => line.Split('\t')).Where(cells => cells.Length >= 7).Select(cells => new Vector(
            cells[0], short.Parse(cells[1]), cells[2], short.Parse(cells[3]), Convert.FromHexString(cells[5]), cells[6]))];
    }
}

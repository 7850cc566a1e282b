namespace Granary.Unit.Tidy;

/// <summary>
/// Files that Kafka 4.0's own code wrote. They are not part of the repository: GRANARY_VECTORS names their folder, else they lie in
/// `shared/vectors` beside the repository or a folder above it.
/// </summary>
internal static class VectorFiles
{
    /// <summary>Why a test that needs them is skipped.</summary>
    public const string Missing = "Kafka's own recorded bytes are not here: name their folder in GRANARY_VECTORS";

    /// <summary>The path of one of them; null where they are not here.</summary>
    public static string? Find(string name)
    {
        if (Environment.GetEnvironmentVariable("GRANARY_VECTORS") is { Length: > 0 } named)
            return Existing(Path.Combine(named, name));
        for (var folder = new DirectoryInfo(SourceTree.Root); folder is not null; folder = folder.Parent)
        {
            if (Existing(Path.Combine(folder.FullName, "shared", "vectors", name)) is { } found)
                return found;
        }

        return null;
    }

    private static string? Existing(string path) => File.Exists(path) ? path : null;
}

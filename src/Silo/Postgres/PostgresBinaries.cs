namespace Granary.Silo.Postgres;

/// <summary>Finds the server's programs on this machine: initdb and postgres, version 14 or newer.</summary>
public static class PostgresBinaries
{
    /// <summary>The newest version that the storage was tried with is taken first; older than this is refused.</summary>
    public const int OldestMajorVersion = 14;

    /// <summary>
    /// The folder that holds initdb and postgres: GRANARY_PG_BIN, else PATH, else where package managers put them. Null: none found.
    /// </summary>
    public static string? Find()
    {
        var asked = Environment.GetEnvironmentVariable("GRANARY_PG_BIN");
        if (!string.IsNullOrEmpty(asked))
            return Holds(asked) ? asked : null;
        return Candidates().FirstOrDefault(Holds);
    }

    private static IEnumerable<string> Candidates()
    {
        foreach (var parent in new[] { "/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql" })
        {
            if (!Directory.Exists(parent))
                continue;
            var versions = Directory.GetDirectories(parent)
                .Select(folder => (folder, version: MajorVersion(folder)))
                .Where(found => found.version >= OldestMajorVersion)
                .OrderByDescending(found => found.version);
            foreach (var (folder, _) in versions)
                yield return Path.Combine(folder, "bin");
        }

        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
    }

    private static int MajorVersion(string folder)
    {
        var name = Path.GetFileName(folder).Replace("postgresql@", "", StringComparison.Ordinal);
        return int.TryParse(name, out var version) ? version : 0;
    }

    private static bool Holds(string folder) => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres"));
}

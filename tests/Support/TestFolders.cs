namespace Granary.Support;

/// <summary>Folders of tests, below the machine's folder for what is temporary: PostgreSQL's user must be able to pass through them.</summary>
public static class TestFolders
{
    public static string New()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"granary-test-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>With all that is in it; where there is none, nothing.</summary>
    public static void Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // A server that was just killed may still be writing; what is temporary is cleared by the machine.
        }
    }
}

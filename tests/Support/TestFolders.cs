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

    public static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // A server that was just killed may still be writing; what is temporary is cleared by the machine.
        }
    }
}

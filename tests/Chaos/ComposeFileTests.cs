using System.ComponentModel;
using System.Diagnostics;

namespace Granary.Chaos;

/// <summary>docker-compose.yml is what Docker's own tools take; where there are none, nothing is said of it.</summary>
public sealed class ComposeFileTests
{
    private static readonly string[][] s_commands = [["docker", "compose"], ["docker-compose"]];

    [Fact]
    public async Task ComposeFile_IsValid()
    {
        var root = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(ChaosSettings.FolderOf("none"))))!;
        Assert.SkipUnless(File.Exists(Path.Combine(root, "docker-compose.yml")), "the tests do not run where they were built");
        foreach (var command in s_commands)
        {
            if ((await RunAsync(root, [.. command, "version"]))?.Code != 0)
                continue;
            var checkedFile = await RunAsync(root, [.. command, "config", "-q"]);
            Assert.True(checkedFile?.Code == 0, checkedFile?.Errors);
            return;
        }

        Assert.Skip("neither docker compose nor docker-compose is on this machine");
    }

    /// <summary>Null: there is no such program.</summary>
    private static async Task<(int Code, string Errors)?> RunAsync(string root, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            await output;
            return (process.ExitCode, errors);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}

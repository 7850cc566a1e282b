using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Granary.Silo.Postgres;

/// <summary>
/// Runs PostgreSQL's programs. PostgreSQL refuses to run as root, and it is right: as root everything is run as an ordinary user.
/// </summary>
internal static partial class UnprivilegedCommand
{
    private static readonly string[] s_users = ["postgres", "nobody"];

    /// <summary>The user that PostgreSQL runs as when this process is root; null when it is not.</summary>
    public static string? User { get; } = IsRoot() ? FirstUser() : null;

    /// <summary>Gives a folder to the user that PostgreSQL runs as, for nobody else to read.</summary>
    /// <exception cref="PostgresStartException">That user cannot reach the folder, because a folder above is closed to it.</exception>
    public static async Task OwnAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (User is null)
            return;
        await RunAsRootAsync("chown", [User, folder]);
        var closed = ClosedParent(folder);
        if (closed is not null)
        {
            throw new PostgresStartException(
                $"PostgreSQL runs as the user '{User}', which cannot pass through the folder {closed}: put the data elsewhere (GRANARY_DATA), or run Granary as an ordinary user.");
        }
    }

    /// <summary>Runs a program to its end, as the ordinary user.</summary>
    /// <returns>Its exit code, and what it printed.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments) => User is null
        ? await RunRawAsync(program, arguments)
        : await RunRawAsync("setpriv", ["--reuid", User, "--regid", User == "nobody" ? "nogroup" : User, "--clear-groups", "--", program, .. arguments]);

    private static async Task RunAsRootAsync(string program, string[] arguments)
    {
        var (exitCode, output) = await RunRawAsync(program, arguments);
        if (exitCode != 0)
            throw new PostgresStartException($"{program} {string.Join(' ', arguments)} failed: {output}");
    }

    private static async Task<(int ExitCode, string Output)> RunRawAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start) ?? throw new PostgresStartException($"{program} could not be started");
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, (await output + await errors).Trim());
    }

    private static string? ClosedParent(string folder)
    {
        for (var parent = Path.GetDirectoryName(Path.GetFullPath(folder)); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if ((File.GetUnixFileMode(parent) & UnixFileMode.OtherExecute) == 0)
                return parent;
        }

        return null;
    }

    private static string FirstUser()
    {
        var known = File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).ToHashSet();
        return s_users.FirstOrDefault(known.Contains) ?? throw new PostgresStartException(
            $"PostgreSQL must not run as root, and none of the users {string.Join(", ", s_users)} exists on this machine.");
    }

    private static bool IsRoot() => GetEffectiveUserId() == 0;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();
}

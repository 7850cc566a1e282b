using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Granary.Support;

/// <summary>What an operating system tells processes.</summary>
internal static partial class Signals
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    /// <summary>
    /// What is written before a command so that it heeds SIGINT. A shell has what it starts in the background ignore it, by inheritance down to the last
    /// child; a test that runs so would wait in vain. Nothing where it is not ignored, or where this `env` cannot undo it.
    /// </summary>
    public static IReadOnlyList<string> HeedInterrupt { get; } = IgnoresInterrupt() && CanHeedInterrupt() ? HeedInterruptCommand : [];

    private static string[] HeedInterruptCommand => ["env", "--default-signal=INT"];

    /// <summary>Asks a process to end (SIGTERM). False: there is none of that id.</summary>
    public static bool AskToEnd(int processId) => Kill(processId, Terminate) == 0;

    private static bool IgnoresInterrupt()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        var ignored = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)).Split(':')[1].Trim();
        return (ulong.Parse(ignored, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (Interrupt - 1))) != 0;
    }

    private static bool CanHeedInterrupt()
    {
        var command = HeedInterruptCommand;
        using var trial = Process.Start(new ProcessStartInfo(command[0], [.. command[1..], "true"]) { RedirectStandardError = true })!;
        trial.WaitForExit();
        return trial.ExitCode == 0;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int id, int signal);
}

using System.Runtime.InteropServices;

namespace Granary.Support;

/// <summary>What an operating system tells processes.</summary>
internal static partial class Signals
{
    private const int Terminate = 15;

    /// <summary>Asks a process to end (SIGTERM). False: there is none of that id.</summary>
    public static bool AskToEnd(int processId) => Kill(processId, Terminate) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int id, int signal);
}

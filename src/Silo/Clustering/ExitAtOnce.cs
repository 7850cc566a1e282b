using System.Runtime.InteropServices;
using Granary.Gateway.Hosting;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// A silo that was declared dead has nothing to put in order: its partitions live elsewhere, and every moment that it goes on it misleads its
/// clients. So the process ends as if it had been killed, but says why.
/// </summary>
internal sealed partial class ExitAtOnce : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => exception is not (ThreadAbortException or OperationCanceledException);

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        Console.Error.WriteLine($"granary: {context ?? "the silo cannot go on"}{(exception is null ? "" : $" ({exception.Message})")}");
        Console.Error.Flush();
        EndProcess((int)ExitCode.Evicted);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void EndProcess(int code);
}

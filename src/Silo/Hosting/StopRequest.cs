using System.Runtime.InteropServices;

namespace Granary.Silo.Hosting;

/// <summary>
/// SIGTERM and SIGINT from the first moment on: the host only listens to them when it is built, and until then they would end the process
/// and leave its PostgreSQL running.
/// </summary>
internal sealed class StopRequest : IDisposable
{
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private readonly CancellationTokenSource _starting;

    /// <param name="starting">What is cancelled by the request.</param>
    public StopRequest(CancellationTokenSource starting)
    {
        _starting = starting;
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Take);
    }

    /// <summary>True when somebody has asked for a stop.</summary>
    public bool IsMade { get; private set; }

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }

    private void Take(PosixSignalContext signal)
    {
        signal.Cancel = true;
        IsMade = true;
        _starting.Cancel();
    }
}

using System.Runtime.InteropServices;
using Granary.Gateway.Hosting;

namespace Granary.Silo.Postgres;

/// <summary>
/// The silo program's subcommand `postgres`: the embedded server alone, until SIGTERM or SIGINT, for several silos to share. Once it takes
/// connections it prints the setting by which other processes find it.
/// </summary>
internal static class PostgresCommand
{
    public static async Task<ExitCode> RunAsync(string dataFolder)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            await using var postgres = await EmbeddedPostgres.StartAsync(dataFolder);
            await using var watch = new PostgresWatch(postgres);
            Console.WriteLine($"ConnectionStrings__Granary={postgres.ConnectionString}");
            await stop.Task;
            return ExitCode.Stopped;
        }
        catch (PostgresStartException failure)
        {
            return StartFailures.Tell(ExitCode.NoEmbeddedPostgres, failure);
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }
    }
}

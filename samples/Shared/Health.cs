using Granary.Abstractions.Clients;
using Microsoft.Extensions.Hosting;

namespace Granary.Samples;

/// <summary>
/// Whether the service works, for who looks after its container: as long as the log answers it, it touches a file every few seconds; the same program,
/// started with <c>health</c>, says how long ago that was. It needs no port for it. Each sample compiles this file.
/// </summary>
internal sealed class Health(LogAdmin admin) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>More than one answer that was too late.</summary>
    private static readonly TimeSpan s_oldest = TimeSpan.FromSeconds(30);

    private static readonly string s_file = Path.Combine(Path.GetTempPath(), $"{typeof(Health).Assembly.GetName().Name}.alive");

    /// <summary>One line, and the exit code: 0 or 1.</summary>
    public static int Ask()
    {
        var age = DateTime.UtcNow - File.GetLastWriteTimeUtc(s_file);
        var isWell = age <= s_oldest;
        Console.WriteLine(isWell ? "healthy" : "the log has not answered for a while");
        return isWell ? 0 : 1;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await admin.ListTopicsAsync().WaitAsync(s_patience, stoppingToken);
                await File.WriteAllTextAsync(s_file, "", stoppingToken);
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The file gets older.
            }

            await Task.Delay(s_interval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

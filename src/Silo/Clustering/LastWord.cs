using Granary.Abstractions.Cluster;
using Granary.Grains.Placement;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// Asks a silo that is about to be voted dead once more. A vote can be old: as long as PostgreSQL is away Orleans keeps it, and casts it when the silo
/// that hung for a moment has long been well again.
/// </summary>
/// <param name="services">Asked late: the membership comes before grains.</param>
internal sealed class LastWord(IServiceProvider services, TimeProvider time)
{
    /// <summary>Small, because a silo that does hang keeps its partitions that much longer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(150);

    public async Task<bool> AnswersAsync(SiloAddress silo)
    {
        try
        {
            var grains = services.GetRequiredService<IGrainFactory>();
            var asking = services.GetRequiredService<ForeignSilos>().Contains(silo) ? AskServiceAsync(grains, silo) : grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(silo)).PingAsync();
            await asking.WaitAsync(s_patience, time);
            return true;
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>
    /// A service's silo has no grain of ours, but Orleans' own. That it takes connections would say nothing: the kernel does so for a process that hangs.
    /// </summary>
    internal static Task AskServiceAsync(IGrainFactory grains, SiloAddress silo) => grains.GetGrain<IManagementGrain>(0).GetRuntimeStatistics([silo]);
}

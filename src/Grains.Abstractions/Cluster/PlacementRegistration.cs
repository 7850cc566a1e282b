using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Abstractions.Cluster;

/// <summary>The map that placement goes by in this process.</summary>
public delegate ClusterMap CurrentMap();

/// <summary>Whichever silo calls a grain first places it, so every silo of the cluster must know how: Granary's own and those of services.</summary>
public static class PlacementRegistration
{
    /// <summary>Places Granary's grains by the <see cref="CurrentMap"/> that is registered. By Orleans' own keys, which it has no registration for outside of its runtime.</summary>
    public static IServiceCollection AddGranaryDirectors(this IServiceCollection services)
    {
        services.TryAddSingleton<LeaderTable>();
        AddDirector<PlacedByMap, PlacedByMapDirector>(services);
        AddDirector<CoordinatedByMap, CoordinatedByMapDirector>(services);
        AddDirector<PlacedOnSilo, PlacedOnSiloDirector>(services);
        return services;
    }

    /// <summary>In a silo that is not Granary's: follows the map, and places by it. Nothing in a process that is no silo, or has a map.</summary>
    internal static void AddGranaryPlacementOfSilo(this IServiceCollection services)
    {
        if (!Has<ILocalSiloDetails>(services) || Has<CurrentMap>(services))
            return;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClusterDirectory>();
        services.AddSingleton<CurrentMap>(provider =>
        {
            var directory = provider.GetRequiredService<ClusterDirectory>();
            return () => directory.Map;
        });
        services.AddHostedService<MapFollowing>();
        services.AddGranaryDirectors();
    }

    private static bool Has<T>(IServiceCollection services) => services.Any(service => service.ServiceType == typeof(T));

    private static void AddDirector<TStrategy, TDirector>(IServiceCollection services)
        where TStrategy : PlacementStrategy
        where TDirector : class, IPlacementDirector
    {
        services.TryAddKeyedSingleton<PlacementStrategy, TStrategy>(typeof(TStrategy).Name);
        services.TryAddKeyedSingleton<IPlacementDirector, TDirector>(typeof(TStrategy));
    }

    /// <summary>From after Orleans has started until before it stops.</summary>
    private sealed class MapFollowing(ClusterDirectory directory) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            directory.Start();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => directory.StopAsync();
    }
}

using Granary.Abstractions.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Hosting;

namespace Granary.Grains.Placement;

/// <summary>Composition of placement.</summary>
public static class PlacementHosting
{
    /// <summary>
    /// Adds placement by the cluster's map. Until a map is published in <see cref="ClusterMapSource"/> grains are placed anywhere, and
    /// until <see cref="SiloLease.Begin"/> the silo counts as a member.
    /// </summary>
    public static IServiceCollection AddGranaryPlacement(this IServiceCollection services)
    {
        services.AddOptions<PlacementOptions>().Validate(options => !options.Validate().Any(), "the placement's options are out of range").ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClusterMapSource>();
        services.TryAddSingleton<LongPolls>();
        services.TryAddSingleton<LeaderTable>();
        services.TryAddSingleton<HostedPartitions>();
        services.TryAddSingleton<KnownLeaders>();
        services.TryAddSingleton<Departures>();
        services.TryAddSingleton<SiloLease>();
        services.TryAddSingleton<MembersRefresh>(static () => Task.CompletedTask);
        services.TryAddSingleton<ClusterJournal>();
        services.TryAddSingleton<TrafficCounts>();
        services.TryAddSingleton<PlacementDiagnostics>();
        services.TryAddSingleton<PlacementParts>();
        services.TryAddSingleton<RehearsalTopic>();
        services.TryAddSingleton<ForeignSilos>();
        // Instead of one that is followed from afar, where AddGranaryClient came first.
        services.Replace(ServiceDescriptor.Singleton<CurrentMap>(static provider =>
        {
            var source = provider.GetRequiredService<ClusterMapSource>();
            return () => source.Map;
        }));
        services.AddGranaryDirectors();
        return services;
    }

    /// <summary>Adds those who move partitions by the map, open a lost silo's, and tell the others; start them after Orleans and before what lets clients in.</summary>
    public static IServiceCollection AddGranaryMigration(this IServiceCollection services)
    {
        services.AddSingleton<PartitionMover>();
        services.AddSingleton<ISiloMover>(static provider => provider.GetRequiredService<PartitionMover>());
        services.AddHostedService(static provider => provider.GetRequiredService<PartitionMover>());
        services.AddHostedService<PartitionReviver>();
        services.AddHostedService<LeaderTeller>();
        services.AddSingleton<Rehearsal>();
        return services;
    }
}

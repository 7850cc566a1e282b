using Granary.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Partitions;

/// <summary>Composition of partitions.</summary>
public static class PartitionHosting
{
    /// <summary>
    /// Adds what partitions need on a silo, beside <see cref="Storage.IPartitionStore"/>, a followed
    /// <see cref="Abstractions.Topics.TopicDirectory"/> and grain storage named <c>granary</c>. Options: <see cref="PartitionOptions"/>.
    /// </summary>
    public static IServiceCollection AddGranaryPartitions(this IServiceCollection services)
    {
        services.AddGranaryPlacement();
        services.AddOptions<PartitionOptions>().Validate(options => !options.Validate().Any(), "the partitions' options are out of range").ValidateOnStart();
        services.AddSingleton<PartitionDiagnostics>();
        services.AddSingleton<SiloPartitions>();
        services.AddMetrics();
        services.AddHostedService<SiloMeters>();
        services.AddSingleton<RetentionSweep>();
        services.AddHostedService(static provider => provider.GetRequiredService<RetentionSweep>());
        return services;
    }
}

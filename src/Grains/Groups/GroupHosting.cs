using Granary.Abstractions.Groups;
using Granary.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Groups;

/// <summary>Composition of groups.</summary>
public static class GroupHosting
{
    /// <summary>
    /// Adds what groups need on a silo, beside <see cref="Storage.StorageHosting.AddGranaryStorage"/>, a followed
    /// <see cref="Abstractions.Topics.TopicDirectory"/> and grain storage named <c>granary</c>. Call it after Orleans is added.
    /// </summary>
    public static IServiceCollection AddGranaryGroups(this IServiceCollection services)
    {
        services.AddGranaryPlacement();
        services.AddOptions<GroupOptions>().Validate(options => !options.Validate().Any(), "the groups' options are out of range").ValidateOnStart();
        services.AddOptions<ConsumerGroupOptions>().Validate(options => !options.Validate().Any(), "the consumer groups' options are out of range").ValidateOnStart();
        services.AddSingleton<HostedGroups>();
        services.TryAddSingleton<HostedMembers>();
        services.AddSingleton<GroupDiagnostics>();
        services.AddSingleton<GroupParts>();
        services.AddSingleton<GroupMover>();
        services.AddSingleton<ISiloMover>(static provider => provider.GetRequiredService<GroupMover>());
        services.AddHostedService(static provider => provider.GetRequiredService<GroupMover>());
        services.AddHostedService<GroupSweep>();
        services.AddMetrics();
        services.AddHostedService<GroupMeters>();
        return services;
    }
}

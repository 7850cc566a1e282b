using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Topics;

/// <summary>Registers what the catalog needs; its state lies in the grain storage named `granary`.</summary>
public static class TopicHosting
{
    public static IServiceCollection AddGranaryTopics(this IServiceCollection services, Action<TopicOptions>? configure = null)
    {
        services.AddOptions<TopicOptions>()
            .Configure(options => configure?.Invoke(options))
            .Validate(options => !options.Validate().Any(), "the topics' options are out of range")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<LongPolls>();
        services.TryAddSingleton<TopicDirectory>(provider => new TopicDirectory(
            provider.GetRequiredService<IGrainFactory>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, CatalogFollowing>();
        return services;
    }

    /// <summary>A silo follows the catalog from when it can call grains until just before it deactivates its own: a long poll would hinder that.</summary>
    private sealed class CatalogFollowing(TopicDirectory directory) : ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
            nameof(CatalogFollowing), ServiceLifecycleStage.Active, _ => directory.StartAsync(), _ => directory.StopAsync());
    }
}

using Granary.Abstractions.Topics;
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
        services.TryAddSingleton<TopicDirectory>(provider => new TopicDirectory(
            provider.GetRequiredService<IGrainFactory>(),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}

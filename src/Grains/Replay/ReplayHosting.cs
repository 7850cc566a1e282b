using Microsoft.Extensions.DependencyInjection;

namespace Granary.Grains.Replay;

/// <summary>Composition of resets.</summary>
public static class ReplayHosting
{
    /// <summary>Adds what resets need on a silo, beside groups.</summary>
    public static IServiceCollection AddGranaryReplay(this IServiceCollection services)
    {
        services.AddOptions<ReplayOptions>().Validate(options => !options.Validate().Any(), "the resets' options are out of range").ValidateOnStart();
        services.AddSingleton<ReplayDiagnostics>();
        return services;
    }
}

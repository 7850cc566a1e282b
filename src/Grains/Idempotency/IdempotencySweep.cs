using Granary.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Idempotency;

/// <summary>Forgets old keys. Every silo does; a row goes once.</summary>
internal sealed class IdempotencySweep(IdempotencyKeys keys, IOptions<IdempotencyOptions> options, TimeProvider time, ILogger<IdempotencySweep> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await SweepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo stops.
        }
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            await keys.SweepAsync(time.GetUtcNow() - options.Value.Window, cancellation);
        }
        catch (StoreUnavailableException unavailable)
        {
            log.LogWarning("Old idempotency keys could not be forgotten: {Reason}", unavailable.Message);
        }
        catch (Exception defect) when (!cancellation.IsCancellationRequested)
        {
            log.LogError(defect, "Old idempotency keys could not be forgotten");
        }
    }
}

/// <summary>Composition of idempotency keys.</summary>
public static class IdempotencyHosting
{
    /// <summary>Adds what <see cref="IdempotencyGrain"/> needs, beside <see cref="StorageHosting.AddGranaryStorage"/>.</summary>
    public static IServiceCollection AddGranaryIdempotency(this IServiceCollection services)
    {
        services.AddOptions<IdempotencyOptions>().Validate(options => !options.Validate().Any(), "the idempotency keys' options are out of range").ValidateOnStart();
        services.AddHostedService<IdempotencySweep>();
        return services;
    }
}

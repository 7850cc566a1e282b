using Granary.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Idempotency;

/// <summary>Forgets old keys, all that there are at the time. Every silo does, and takes those that no other is at.</summary>
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

    /// <summary>One sweep, to its end. What fails is told; the next one tries again.</summary>
    public async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            // One portion would bound how many keys a cluster can forget, and so how many it may be given. Each is a call of its own: claims get their turn between.
            var before = time.GetUtcNow() - options.Value.Window;
            while (await keys.SweepAsync(before, cancellation) >= IdempotencyKeys.MaxSweptAtOnce)
                await Task.Yield();
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

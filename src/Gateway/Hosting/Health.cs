using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Hosting;

/// <summary>/health/live: the process answers. /health/ready: so do the catalog, the Kafka listener, and what the program adds to them, and it was not asked to stop.</summary>
public static class Health
{
    /// <summary>How long one check may take.</summary>
    public static TimeSpan Timeout { get; } = TimeSpan.FromSeconds(3);

    public static IHealthChecksBuilder AddGranaryHealth(this IServiceCollection services) => services.AddHealthChecks()
        .AddCheck<CatalogCheck>("catalog", timeout: Timeout)
        .AddCheck<ListenerCheck>("kafka", timeout: Timeout)
        .AddCheck<StopCheck>("process");

    public static void MapGranaryHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = report.Status.ToString(),
        checks = report.Entries.ToDictionary(
            entry => entry.Key,
            entry => new { status = entry.Value.Status.ToString(), message = entry.Value.Exception?.Message ?? entry.Value.Description }),
    });

    private sealed class CatalogCheck(TopicDirectory directory) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await directory.RefreshAsync().WaitAsync(cancellationToken);
            return HealthCheckResult.Healthy($"version {directory.Version}");
        }
    }

    private sealed class StopCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("it stops") : HealthCheckResult.Healthy("it was not asked to stop"));
    }

    private sealed class ListenerCheck(KafkaListener listener) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(listener.EndPoint is { } endPoint ? HealthCheckResult.Healthy($"{endPoint}") : HealthCheckResult.Unhealthy("not listening"));
    }
}

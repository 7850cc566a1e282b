using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Granary.Silo.Hosting;

/// <summary>/health/live: the process answers. /health/ready: so do PostgreSQL, the catalog and the Kafka listener.</summary>
internal static class Health
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    public static void AddGranaryHealth(this IServiceCollection services, NpgsqlDataSource source) => services.AddHealthChecks()
        .AddAsyncCheck("postgresql", async cancellation =>
        {
            await using var command = source.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(cancellation);
            return HealthCheckResult.Healthy();
        }, timeout: s_timeout)
        .AddCheck<CatalogCheck>("catalog", timeout: s_timeout)
        .AddCheck<ListenerCheck>("kafka", timeout: s_timeout);

    public static void MapGranaryHealth(this WebApplication app)
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

    private sealed class ListenerCheck(KafkaListener listener) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(listener.EndPoint is { } endPoint ? HealthCheckResult.Healthy($"{endPoint}") : HealthCheckResult.Unhealthy("not listening"));
    }
}

using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Granary.Gateway.Hosting;

/// <summary>One set of metrics, told in two ways: /metrics for Prometheus, and OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says to whom.</summary>
public static class Telemetry
{
    /// <param name="program">The name that the metrics go by (service.name), unless OTEL_SERVICE_NAME says another.</param>
    public static void AddGranaryTelemetry(this IServiceCollection services, string program) => services.AddOpenTelemetry()
        .ConfigureResource(resource => resource.AddService(program))
        .WithMetrics(metrics =>
        {
            metrics.AddMeter("Granary*", "Microsoft.Orleans", "Npgsql", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel");
            metrics.AddPrometheusExporter();
            if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
                metrics.AddOtlpExporter();
        });
}

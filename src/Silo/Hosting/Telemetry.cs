using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Granary.Silo.Hosting;

/// <summary>One set of metrics, told in two ways: /metrics for Prometheus, and OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says to whom.</summary>
internal static class Telemetry
{
    public static void AddGranaryTelemetry(this IServiceCollection services) => services.AddOpenTelemetry()
        .ConfigureResource(resource => resource.AddService("granary"))
        .WithMetrics(metrics =>
        {
            metrics.AddMeter("Granary*", "Microsoft.Orleans", "Npgsql", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel");
            metrics.AddPrometheusExporter();
            if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
                metrics.AddOtlpExporter();
        });
}

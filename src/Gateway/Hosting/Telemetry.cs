using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Granary.Gateway.Hosting;

/// <summary>One set of metrics, told in two ways: /metrics for Prometheus, and OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says to whom, from wherever settings come.</summary>
public static class Telemetry
{
    private static readonly double[] s_seconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
    private static readonly double[] s_milliseconds = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000];
    private static readonly double[] s_bytes = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20];

    /// <param name="program">The name that the metrics go by (service.name), unless OTEL_SERVICE_NAME says another.</param>
    /// <param name="configuration">The process's: the exporter reads its other settings there as well.</param>
    public static void AddGranaryTelemetry(this IServiceCollection services, string program, IConfiguration configuration) => services.AddOpenTelemetry()
        .ConfigureResource(resource => resource.AddService(program))
        .WithMetrics(metrics =>
        {
            metrics.AddMeter("Granary*", "Microsoft.Orleans", "Npgsql", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Hosting");
            metrics.AddView(BucketsOf);
            metrics.AddPrometheusExporter();
            if (!string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
                metrics.AddOtlpExporter();
        });

    /// <summary>The library's own bounds are made for milliseconds of web pages; null: those.</summary>
    private static MetricStreamConfiguration? BucketsOf(Instrument instrument)
    {
        if (!instrument.Meter.Name.StartsWith("Granary", StringComparison.Ordinal) || !instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal))
            return null;
        var bounds = instrument.Unit switch { "s" => s_seconds, "ms" => s_milliseconds, "By" => s_bytes, _ => null };
        return bounds is null ? null : new ExplicitBucketHistogramConfiguration { Boundaries = bounds };
    }
}

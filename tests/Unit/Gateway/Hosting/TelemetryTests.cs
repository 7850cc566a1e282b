using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Granary.Gateway.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Granary.Unit.Gateway.Hosting;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Otlp_GoesWhereTheConfigurationSays_WhateverItIsMadeOf()
    {
        using var receiver = new TcpListener(IPAddress.Loopback, 0);
        receiver.Start();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{receiver.LocalEndpoint}",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "1000",
        }).Build();
        var services = new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(configuration);
        services.AddGranaryTelemetry("granary", configuration);
        await using var provider = services.BuildServiceProvider();
        var metrics = provider.GetRequiredService<MeterProvider>();
        using var meter = new Meter("Granary.Tests");
        meter.CreateCounter<long>("count").Add(1);

        var flushing = Task.Run(() => metrics.ForceFlush(5_000), TestContext.Current.CancellationToken);
        using (var exporter = await receiver.AcceptSocketAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))
            Assert.True(exporter.Connected);
        await flushing;
    }
}

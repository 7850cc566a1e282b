using Granary.Gateway.Hosting;
using Granary.Gateway.Http;
using Granary.Gateway.Http.Live;
using Granary.Gateway.Kafka;
using Granary.Gateway.WebConsole;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Granary.Gateway.Edge;

/// <summary>
/// A gateway as a program of its own: Kafka's protocol on one side, an Orleans client on the other, and nothing kept in between. It may be
/// killed at any time, and there may be any number of them. It finds the silos by the database, and waits for them for ever.
/// </summary>
internal static class EdgeHost
{
    /// <summary>Brokers' numbers begin with 1; all edges are this one, so that they may stand behind one address.</summary>
    private const int EdgeNodeId = 0;

    public static async Task<ExitCode> RunAsync(string[] args)
    {
        try
        {
            var configuration = ProgramConfiguration.Of(args);
            if (EdgeSettingsCheck.Wrong(configuration).ToList() is { Count: > 0 } wrong)
                return StartFailures.Tell(ExitCode.WrongSettings, string.Join(' ', wrong).ReplaceLineEndings(" "));
            using var host = Compose(configuration);
            return await RunAsync(host);
        }
        catch (Exception failure)
        {
            return StartFailures.Tell(StartFailures.CodeOf(failure), failure);
        }
    }

    private static async Task<ExitCode> RunAsync(IHost host)
    {
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        try
        {
            await host.StartAsync();
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Asked to stop while it still waited for the cluster.
            await host.StopAsync();
            return ExitCode.Stopped;
        }

        var urls = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        Console.WriteLine("Granary's gateway is ready.");
        Console.WriteLine($"  Kafka       {host.Services.GetRequiredService<KafkaListener>().EndPoint}");
        Console.WriteLine($"  HTTP        {string.Join(", ", urls)}  (/health/live, /health/ready, /metrics)");
        await host.WaitForShutdownAsync(CancellationToken.None);
        return ExitCode.Stopped;
    }

    /// <summary>
    /// The list of what a gateway is made of. Parts start in this order and stop in the reverse, but for HTTP: it is first, so that the process says
    /// that it lives while it waits for a cluster, and stops first too (<see cref="WebServerStop"/>).
    /// </summary>
    private static IHost Compose(IConfiguration configuration)
    {
        var settings = EdgeSettings.Read(configuration);
        var connectionString = EdgeSettings.Complete(configuration.GetConnectionString("Granary"));
        return new HostBuilder()
            .ConfigureHostConfiguration(host => host.AddConfiguration(configuration))
            .ConfigureLogging((context, logging) =>
            {
                logging.AddGranaryConsole();
                // Why a start failed is told in one line at the end.
                logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
                logging.AddConfiguration(context.Configuration.GetSection("Logging"));
            })
            .ConfigureWebHost(web => web.UseKestrel().UseUrls(settings.HttpUrl).Configure(ConfigureHttp))
            .UseOrleansClient(client => ConfigureClient(client, settings, connectionString))
            .ConfigureServices(services => ConfigureServices(services, configuration, settings))
            .Build();
    }

    private static void ConfigureHttp(IApplicationBuilder app)
    {
        app.UseGranaryHttp();
        app.UseRouting();
        app.UseEndpoints(endpoints =>
        {
            endpoints.MapGranaryHealth();
            endpoints.MapGranaryHttp();
            endpoints.MapGranaryConsole();
            endpoints.MapPrometheusScrapingEndpoint("/metrics");
        });
    }

    private static void ConfigureClient(IClientBuilder client, EdgeSettings settings, string connectionString)
    {
        client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (settings.ClusterId, settings.ClusterId));
        client.UseAdoNetClustering(options =>
        {
            options.Invariant = EdgeSettings.Provider;
            options.ConnectionString = connectionString;
        });
        client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = SiloWatch.ClientInterval);
        client.UseConnectionRetryFilter<ClusterWait>();
        client.Services.AddSingleton<CallsInFlight>();
        client.Services.AddSingleton<IOutgoingGrainCallFilter>(services => services.GetRequiredService<CallsInFlight>());
    }

    private static void ConfigureServices(IServiceCollection services, IConfiguration configuration, EdgeSettings settings)
    {
        services.AddRouting();
        services.AddHostedService<SiloWatch>();
        services.AddHostedService<CatalogWait>();
        services.Configure<KafkaOptions>(options => options.NodeId = EdgeNodeId);
        services.Configure<KafkaOptions>(configuration.GetSection("Granary:Kafka"));
        services.Configure<KafkaOptions>(options => (options.ClusterId, options.IsEdge) = (settings.ClusterId, true));
        services.Configure<LiveOptions>(configuration.GetSection("Granary:Live"));
        services.Configure<HttpOptions>(configuration.GetSection("Granary:Http"));
        services.AddGranaryGateway();
        services.AddGranaryHttp();
        services.AddGranaryTelemetry("granary-gateway", configuration);
        services.AddGranaryHealth().AddCheck<ClusterCheck>("cluster", timeout: Health.Timeout);
        services.AddHostedService<WebServerStop>();
    }
}

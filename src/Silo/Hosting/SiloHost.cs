using Granary.Gateway;
using Granary.Gateway.Kafka;
using Granary.Grains.Partitions;
using Granary.Grains.Storage;
using Granary.Grains.Topics;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;

namespace Granary.Silo.Hosting;

/// <summary>The whole program, from its settings to its exit code.</summary>
internal static class SiloHost
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(5);

    public static async Task<ExitCode> RunAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        if (SettingsCheck.Wrong(builder.Configuration).ToList() is { Count: > 0 } wrong)
            return Fail(new StartFailure(ExitCode.WrongSettings, string.Join(' ', wrong)));
        var settings = builder.Configuration.GetSection("Granary").Get<SiloSettings>() ?? new SiloSettings();
        using var starting = new CancellationTokenSource(s_startTimeout);
        using var asked = new StopRequest(starting);
        try
        {
            return await RunAsync(builder, settings, starting.Token);
        }
        catch (OperationCanceledException) when (asked.IsMade)
        {
            return ExitCode.Stopped;
        }
        catch (OperationCanceledException) when (starting.IsCancellationRequested)
        {
            return Fail(new StartFailure(ExitCode.Failed, $"The start took longer than {s_startTimeout}."));
        }
        catch (Exception failure)
        {
            return Fail(StartFailure.Of(failure, settings));
        }
    }

    private static async Task<ExitCode> RunAsync(WebApplicationBuilder builder, SiloSettings settings, CancellationToken starting)
    {
        var dataFolder = Environment.GetEnvironmentVariable("GRANARY_DATA") is { Length: > 0 } folder ? folder : settings.DataFolder;
        await using var database = await Database.OpenAsync(builder.Configuration.GetConnectionString("Granary"), dataFolder, starting);

        // The claim is first: whoever is refused has changed nothing.
        await using var claim = await SiloClaim.TakeAsync(database.ConnectionString, settings.ClusterId, settings.ClaimPatience, starting)
            ?? throw new StartException(
                ExitCode.AnotherSilo,
                $"Another silo of the cluster '{settings.ClusterId}' works on this database ({database.Description}). Stop it, or name another database.");
        await OrleansStorageSchema.EnsureAsync(database.Source, starting);
        var node = await NodeNumber.OfAsync(database.Source, settings.ClusterId, settings.SiloName, starting);
        await using var app = Compose(builder, settings, database, node);
        await app.StartAsync(starting);
        Announcement.Print(Console.Out, app, database);
        await app.WaitForShutdownAsync(CancellationToken.None);
        return ExitCode.Stopped;
    }

    /// <summary>The list of what a silo is made of. Parts start in this order and stop in the reverse.</summary>
    private static WebApplication Compose(WebApplicationBuilder builder, SiloSettings settings, Database database, int node)
    {
        builder.WebHost.UseUrls(settings.HttpUrl);
        builder.Logging.AddGranaryConsole();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.Configure<StorageOptions>(builder.Configuration.GetSection("Granary:Storage"));
        builder.Services.Configure<PartitionOptions>(builder.Configuration.GetSection("Granary:Partitions"));
        builder.Services.Configure<TopicOptions>(builder.Configuration.GetSection("Granary:Topics"));
        builder.Services.Configure<KafkaOptions>(builder.Configuration.GetSection("Granary:Kafka"));
        builder.Services.Configure<KafkaOptions>(options => (options.NodeId, options.ClusterId) = (node, settings.ClusterId));
        builder.Services.AddGranaryStorage(database.Source);
        builder.UseOrleans(silo => ConfigureSilo(silo, settings, database));
        builder.Services.AddGranaryTopics();
        builder.Services.AddGranaryPartitions();
        builder.Services.AddGranaryGateway();
        builder.Services.AddGranaryTelemetry();
        builder.Services.AddGranaryHealth(database.Source);
        var app = builder.Build();
        app.MapGranaryHealth();
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    private static void ConfigureSilo(ISiloBuilder silo, SiloSettings settings, Database database)
    {
        var siloPort = Ports.Choose(settings.SiloPort, 11111);
        var gatewayPort = Ports.Choose(settings.GatewayPort, 30000);
        silo.UseLocalhostClustering(siloPort, gatewayPort, serviceId: settings.ServiceId, clusterId: settings.ClusterId);
        silo.Configure<SiloOptions>(options => options.SiloName = settings.SiloName);
        silo.AddAdoNetGrainStorage("granary", storage => storage.Configure<Serializer>((options, serializer) =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.ConnectionString;
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));
    }

    private static ExitCode Fail(StartFailure failure)
    {
        Console.Error.WriteLine($"granary: {failure.Message.ReplaceLineEndings(" ")}");
        return failure.Code;
    }
}

using Granary.Gateway;
using Granary.Gateway.Hosting;
using Granary.Gateway.Kafka;
using Granary.Grains.Groups;
using Granary.Grains.Partitions;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Granary.Grains.Topics;
using Granary.Silo.Clustering;
using Granary.Silo.Postgres;
using Npgsql;

namespace Granary.Silo.Hosting;

/// <summary>The whole program, from its settings to its exit code.</summary>
internal static class SiloHost
{
    public static async Task<ExitCode> RunAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        var settings = SiloSettings.Read(builder.Configuration);
        var dataFolder = settings.ChosenDataFolder;
        using var starting = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            await using var database = await Database.OpenAsync(builder.Configuration.GetConnectionString("Granary"), dataFolder, starting.Token);
            await OrleansStorageSchema.EnsureAsync(database.Source, starting.Token);
            await using var claim = await SiloClaim.TakeAsync(database.ConnectionString, settings.ClusterId, settings.SiloName, starting.Token);
            if (claim is null)
                return StartFailures.Tell(ExitCode.AnotherSilo, $"Another silo named '{settings.SiloName}' of the cluster '{settings.ClusterId}' works on this database ({database.Description}). Stop it, or give this one another name (Granary__SiloName).");
            if (await ClockCheck.ComplaintAsync(database.Source, TimeProvider.System, starting.Token) is { } complaint)
                return StartFailures.Tell(ExitCode.ClockOff, complaint);
            await new LostSilos(database.Source, settings.ClusterId).BuryAsync(settings.SiloName, starting.Token);
            var node = await NodeNumber.OfAsync(database.Source, settings.ClusterId, settings.SiloName, starting.Token);
            await using var app = Compose(builder, settings, database, node);
            await app.StartAsync(starting.Token);
            Announcement.Print(Console.Out, app, database);
            await app.WaitForShutdownAsync(CancellationToken.None);
            return ExitCode.Stopped;
        }
        catch (Exception failure)
        {
            return StartFailures.Tell(CodeOf(failure), failure);
        }
    }

    /// <summary>The list of what a silo is made of. Parts start in this order and stop in the reverse.</summary>
    private static WebApplication Compose(WebApplicationBuilder builder, SiloSettings settings, Database database, int node)
    {
        builder.WebHost.UseUrls(settings.HttpUrl);
        builder.Logging.AddGranaryConsole();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.Configure<StorageOptions>(builder.Configuration.GetSection("Granary:Storage"));
        builder.Services.Configure<PartitionOptions>(builder.Configuration.GetSection("Granary:Partitions"));
        builder.Services.Configure<PlacementOptions>(builder.Configuration.GetSection("Granary:Placement"));
        builder.Services.Configure<GroupOptions>(builder.Configuration.GetSection("Granary:Groups"));
        builder.Services.Configure<TopicOptions>(builder.Configuration.GetSection("Granary:Topics"));
        builder.Services.Configure<KafkaOptions>(builder.Configuration.GetSection("Granary:Kafka"));
        builder.Services.Configure<KafkaOptions>(options => (options.NodeId, options.ClusterId) = (node, settings.ClusterId));
        builder.Services.AddGranaryStorage(database.Source);
        builder.UseOrleans(silo => silo.UseGranaryClustering(settings, database));
        builder.Services.AddGranaryTopics();
        builder.Services.AddGranaryPartitions();
        builder.Services.AddGranaryGroups();
        builder.Services.AddGranaryMembers(database.Source, database.ConnectionString, settings.ClusterId);
        builder.Services.AddGranaryGateway();
        builder.Services.AddGranaryMembership();
        builder.Services.AddGranaryTelemetry("granary");
        builder.Services.AddGranaryHealth().AddDatabaseCheck(database.Source);
        var app = builder.Build();
        app.MapGranaryHealth();
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    private static ExitCode CodeOf(Exception failure) => failure switch
    {
        PostgresStartException => ExitCode.NoEmbeddedPostgres,
        NpgsqlException => ExitCode.NoPostgres,
        AggregateException { InnerException: { } inner } => CodeOf(inner),
        _ => StartFailures.CodeOf(failure),
    };
}

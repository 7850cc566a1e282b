using Granary.Gateway;
using Granary.Gateway.Hosting;
using Granary.Gateway.Http;
using Granary.Gateway.Http.Live;
using Granary.Gateway.Kafka;
using Granary.Gateway.WebConsole;
using Granary.Grains.Groups;
using Granary.Grains.Idempotency;
using Granary.Grains.Partitions;
using Granary.Grains.Replay;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Granary.Grains.Topics;
using Granary.Silo.Clustering;

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
        var settings = SiloSettings.Read(builder.Configuration);
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
        await using var database = await Database.OpenAsync(builder.Configuration.GetConnectionString("Granary"), settings.ChosenDataFolder, starting);

        // The claim is first, and what can be refused next: whoever is refused has changed nothing.
        await using var claim = await SiloClaim.TakeAsync(database.ConnectionString, settings.ClusterId, settings.SiloName, settings.ClaimPatience, starting)
            ?? throw new StartException(
                ExitCode.AnotherSilo,
                $"Another silo named '{settings.SiloName}' of the cluster '{settings.ClusterId}' works on this database ({database.Description}). Stop it, or give this one another name (Granary__SiloName).");
        if (await ClockCheck.ComplaintAsync(database.Source, TimeProvider.System, starting) is { } complaint)
            throw new StartException(ExitCode.ClockOff, complaint);
        await StorageHosting.RefuseNewerAsync(database.Source, starting);
        await OrleansStorageSchema.EnsureAsync(database.Source, starting);
        await new LostSilos(database.Source, settings.ClusterId).BuryAsync(settings.SiloName, starting);
        var others = await NodeNumber.OthersWithoutOursAsync(database.Source, settings.ClusterId, starting);
        var node = await NodeNumber.OfAsync(database.Source, settings.ClusterId, settings.SiloName, starting);
        await using var app = Compose(builder, settings, database, node);
        var diagnostics = app.Services.GetRequiredService<ClusteringDiagnostics>();
        claim.TellTo(diagnostics);
        if (others.Count > 0)
            diagnostics.FirstOfItsCluster(settings.ClusterId, string.Join(", ", others));
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
        builder.Services.Configure<PlacementOptions>(builder.Configuration.GetSection("Granary:Placement"));
        builder.Services.Configure<GroupOptions>(builder.Configuration.GetSection("Granary:Groups"));
        builder.Services.Configure<ConsumerGroupOptions>(builder.Configuration.GetSection("Granary:ConsumerGroups"));
        builder.Services.Configure<ReplayOptions>(builder.Configuration.GetSection("Granary:Replay"));
        builder.Services.Configure<TopicOptions>(builder.Configuration.GetSection("Granary:Topics"));
        builder.Services.Configure<LiveOptions>(builder.Configuration.GetSection("Granary:Live"));
        builder.Services.Configure<KafkaOptions>(builder.Configuration.GetSection("Granary:Kafka"));
        builder.Services.Configure<KafkaOptions>(options => (options.NodeId, options.ClusterId) = (node, settings.ClusterId));
        builder.Services.AddGranaryStorage(database.Source);
        builder.UseOrleans(silo => silo.UseGranaryClustering(settings, database));
        builder.Services.AddGranaryTopics();
        builder.Services.AddGranaryPartitions();
        builder.Services.AddGranaryGroups();
        builder.Services.AddGranaryReplay();
        builder.Services.AddGranaryMembers(database.Source, database.ConnectionString, settings.ClusterId);
        builder.Services.Configure<HttpOptions>(builder.Configuration.GetSection("Granary:Http"));
        builder.Services.Configure<IdempotencyOptions>(builder.Configuration.GetSection("Granary:Idempotency"));
        builder.Services.AddGranaryIdempotency();
        builder.Services.AddGranaryGateway();
        builder.Services.AddGranaryHttp();
        builder.Services.AddGranaryMembership();
        builder.Services.AddGranaryTelemetry("granary", builder.Configuration);
        builder.Services.AddGranaryHealth().AddDatabaseCheck(database.Source);
        var app = builder.Build();
        app.UseGranaryHttp();
        app.MapGranaryHealth();
        app.MapGranaryHttp();
        app.MapGranaryConsole();
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }

    private static ExitCode Fail(StartFailure failure) => StartFailures.Tell(failure.Code, failure.Message.ReplaceLineEndings(" "));
}

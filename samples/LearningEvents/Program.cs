using Granary.Abstractions.Clients;
using Granary.LearningEvents;
using Granary.Samples;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

if (args is ["health"])
    return Health.Ask();
var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
var sample = builder.Configuration.GetSection("Sample").Get<SampleOptions>() ?? new SampleOptions();
builder.Services.Configure<SampleOptions>(builder.Configuration.GetSection("Sample"));

// Orleans first, then the log's client, then what uses it: the host stops them the other way round.
builder.UseOrleansClient(client =>
{
    FindSilos(client);
    client.UseConnectionRetryFilter(async (_, stopping) =>
    {
        await Task.Delay(TimeSpan.FromSeconds(1), stopping);
        return true;
    });
});
builder.Services.AddGranaryClient(producer => producer.Linger = TimeSpan.FromMilliseconds(5));
builder.Services.AddHostedService<EventPublisher>();
builder.Services.AddSingleton<LearningTopic>();
AddReader("from-start", LogPosition.Earliest);
AddReader("from-tail", LogPosition.Latest);
builder.Services.AddHostedService<EventMember>();
builder.Services.AddHostedService<Health>();

await builder.Build().RunAsync();
return 0;

// A cluster's silos come and go: their addresses are in the database. A silo alone on this machine is where it always is.
void FindSilos(IClientBuilder client)
{
    if (builder.Configuration.GetConnectionString("Granary") is not { Length: > 0 } database)
    {
        client.UseLocalhostClustering(sample.GatewayPort, sample.ClusterId, sample.ClusterId);
        return;
    }

    client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (sample.ClusterId, sample.ClusterId));
    client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(1));
    client.UseAdoNetClustering(clustering =>
    {
        clustering.Invariant = "Npgsql";
        clustering.ConnectionString = $"{database};Search Path=granary";
    });
}

void AddReader(string name, LogPosition from) => builder.Services.AddSingleton<IHostedService>(services =>
    ActivatorUtilities.CreateInstance<EventReader>(services, name, from));

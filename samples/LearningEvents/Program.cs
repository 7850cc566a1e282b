using Granary.Abstractions.Clients;
using Granary.LearningEvents;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
var sample = builder.Configuration.GetSection("Sample").Get<SampleOptions>() ?? new SampleOptions();
builder.Services.Configure<SampleOptions>(builder.Configuration.GetSection("Sample"));

// Orleans first, then the log's client, then what uses it: the host stops them the other way round.
builder.UseOrleansClient(client => client
    .UseLocalhostClustering(sample.GatewayPort, sample.ServiceId, sample.ClusterId)
    .UseConnectionRetryFilter(async (_, stopping) =>
    {
        await Task.Delay(TimeSpan.FromSeconds(1), stopping);
        return true;
    }));
builder.Services.AddGranaryClient(producer => producer.Linger = TimeSpan.FromMilliseconds(5));
builder.Services.AddHostedService<EventPublisher>();
AddReader("from-start", LogPosition.Earliest);
AddReader("from-tail", LogPosition.Latest);

await builder.Build().RunAsync();

void AddReader(string name, LogPosition from) => builder.Services.AddSingleton<IHostedService>(services =>
    ActivatorUtilities.CreateInstance<EventReader>(services, name, from));

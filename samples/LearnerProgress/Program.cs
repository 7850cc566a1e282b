using Granary.Abstractions.Clients;
using Granary.Abstractions.Subscriptions;
using Granary.LearnerProgress;
using Granary.Samples;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

if (args is ["health"])
    return Health.Ask();
var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
var sample = builder.Configuration.GetSection("Sample").Get<SampleOptions>() ?? new SampleOptions();
if (builder.Configuration.GetConnectionString("Granary") is not { Length: > 0 } database)
{
    Console.Error.WriteLine("ConnectionStrings__Granary is not set: this silo finds Granary's by the database they work on.");
    return 2;
}

// Orleans first, then the log's client, then what uses it: the host stops them the other way round.
builder.UseOrleans(silo => silo.JoinGranary(database, sample));
builder.Services.AddGranaryClient();
builder.Services.AddGranarySubscriptions(typeof(LearnerGrain).Assembly);
builder.Services.AddHostedService<Health>();

await builder.Build().RunAsync();
return 0;

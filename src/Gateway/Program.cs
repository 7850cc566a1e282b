using Granary.Gateway.Edge;
using Granary.Gateway.Hosting;

return (int)(args switch
{
    ["health", .. var rest] => await HealthQuestion.AskAsync(EdgeSettings.Read(EdgeHost.ConfigurationOf(rest)).HttpUrl),
    _ => await EdgeHost.RunAsync(args),
});

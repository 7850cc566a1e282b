using Granary.Gateway.Edge;
using Granary.Gateway.Hosting;

return (int)(args switch
{
    ["health", .. var rest] => await HealthQuestion.AskAsync(EdgeSettings.Read(ProgramConfiguration.Of(rest)).HttpUrl),
    ["status", .. var rest] => await ClusterStatus.PrintAsync(EdgeSettings.Read(ProgramConfiguration.Of(rest)).HttpUrl, Console.Out),
    _ => await EdgeHost.RunAsync(args),
});

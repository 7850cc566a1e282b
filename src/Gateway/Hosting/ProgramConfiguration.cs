using Microsoft.Extensions.Configuration;

namespace Granary.Gateway.Hosting;

/// <summary>A program's settings where it needs no host: from appsettings.json, the environment and the command line, in that order.</summary>
public static class ProgramConfiguration
{
    public static IConfiguration Of(string[] args) => new ConfigurationBuilder()
        .SetBasePath(Directory.GetCurrentDirectory())
        .AddJsonFile("appsettings.json", optional: true)
        .AddEnvironmentVariables()
        .AddCommandLine(args)
        .Build();
}

using Granary.Abstractions.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Granary.Cluster.Clients;

public sealed class ClusterDirectoryTests
{
    /// <summary>A service's silo may start before any of Granary's: then nobody has a grain of that kind yet.</summary>
    [Fact]
    public async Task Follow_WhereNoSiloHasTheMapYet_GoesOn_AndStopsWithoutAnError()
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.ConfigureSilo((_, silo) => silo.Services.PostConfigure<GrainTypeOptions>(types => types.Classes.RemoveWhere(type => type.Namespace!.StartsWith("Granary.", StringComparison.Ordinal))));
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        await using var directory = new ClusterDirectory(cluster.Client, TimeProvider.System);
        Assert.Throws<ArgumentException>(() => cluster.Client.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key));

        directory.Start();

        await directory.StopAsync();
        Assert.Empty(directory.Map.Members);
    }
}

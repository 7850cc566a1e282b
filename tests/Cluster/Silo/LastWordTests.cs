using System.Net;
using Granary.Cluster.Partitions;
using Granary.Silo.Clustering;
using Orleans.Runtime;

namespace Granary.Cluster.Silo;

public sealed class LastWordTests(PartitionCluster cluster)
{
    /// <summary>By what every silo has, whatever it hosts.</summary>
    [Fact]
    public async Task AskService_IsAnsweredByASiloThatLives_AndByNobodyElse()
    {
        await LastWord.AskServiceAsync(cluster.Silos.Client, cluster.Silos.Silos[1].SiloAddress);
        var nobody = SiloAddress.New(IPAddress.Loopback, 1, 1);
        await Assert.ThrowsAnyAsync<Exception>(() => LastWord.AskServiceAsync(cluster.Silos.Client, nobody).WaitAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken));
    }
}

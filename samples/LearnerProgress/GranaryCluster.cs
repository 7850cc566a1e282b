using Orleans.Configuration;

namespace Granary.LearnerProgress;

/// <summary>How a service's own silo becomes one of Granary's cluster.</summary>
internal static class GranaryCluster
{
    private const string Provider = "Npgsql";

    /// <summary>What has to be as Granary's silos have it; they make the tables, so one of them must have been there before.</summary>
    public static void JoinGranary(this ISiloBuilder silo, string database, SampleOptions sample)
    {
        var connection = $"{database};Search Path=granary";
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (sample.ClusterId, sample.ClusterId));
        silo.UseAdoNetClustering(clustering => (clustering.Invariant, clustering.ConnectionString) = (Provider, connection));
#pragma warning disable ORLEANSEXP003
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.Configure<GrainDirectoryOptions>(directory => directory.RangeLeaseDuration = TimeSpan.Zero);

        // No gateway: clients of the cluster come in by Granary's silos.
        silo.ConfigureEndpoints(sample.SiloAddress, sample.SiloPort, gatewayPort: 0);

        // This service's own: where its grains keep their states. Granary's tables for grain states serve.
        silo.AddAdoNetGrainStorageAsDefault(storage => (storage.Invariant, storage.ConnectionString) = (Provider, connection));
    }
}

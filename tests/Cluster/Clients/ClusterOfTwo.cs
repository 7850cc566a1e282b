using Granary.Cluster.Storage;
using Granary.Grains.Groups;
using Granary.Grains.Partitions;
using Granary.Grains.Replay;
using Granary.Grains.Storage;
using Granary.Grains.Topics;
using Granary.Silo.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Granary.Cluster.Clients;

/// <summary>Two silos in this process on a database of their own, and an Orleans client to them: what a service of the cluster has.</summary>
internal sealed class ClusterOfTwo : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly InProcessTestCluster _cluster;

    private ClusterOfTwo(NpgsqlDataSource source, InProcessTestCluster cluster)
    {
        _source = source;
        _cluster = cluster;
    }

    public IGrainFactory Client => _cluster.Client;

    /// <summary>Its database.</summary>
    public NpgsqlDataSource Source => _source;

    /// <param name="postgres">Where its database is made.</param>
    /// <param name="cancellation">The test's.</param>
    /// <param name="services">Adds to what each silo has.</param>
    /// <param name="storage">The same, once grain storage is there.</param>
    public static async Task<ClusterOfTwo> StartAsync(
        PrivatePostgres postgres, CancellationToken cancellation, Action<IServiceCollection>? services = null, Action<IServiceCollection>? storage = null)
    {
        await using var plain = await postgres.CreateDatabaseAsync();
        var connection = new NpgsqlConnectionStringBuilder(plain.ConnectionString) { SearchPath = OrleansStorageSchema.Schema };
        var source = NpgsqlDataSource.Create(connection);
        await OrleansStorageSchema.EnsureAsync(source, cancellation);
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 2);
        builder.ConfigureSiloHost((_, host) =>
        {
            host.Services.AddSingleton(TimeProvider.System);
            host.Services.AddGranaryStorage(source);
            host.Services.AddGranaryTopics();
            host.Services.AddGranaryPartitions();
            host.Services.AddGranaryGroups();
            host.Services.AddGranaryReplay();
            host.Services.Configure<GroupOptions>(groups => groups.InitialRebalanceDelay = TimeSpan.Zero);
            services?.Invoke(host.Services);
        });
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddAdoNetGrainStorage("granary", adoNet => adoNet.Configure<Serializer>((options, serializer) =>
            {
                options.Invariant = "Npgsql";
                options.ConnectionString = connection.ConnectionString;
                options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
            }));
            silo.ConfigureServices(services => storage?.Invoke(services));
            silo.Configure<ClusterMembershipOptions>(membership =>
            {
                membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
                membership.NumMissedProbesLimit = 2;
                membership.NumVotesForDeathDeclaration = 1;
            });
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new ClusterOfTwo(source, cluster);
    }

    /// <summary>Ends one silo without notice; the other one takes its grains over.</summary>
    public Task KillOneAsync() => _cluster.KillSiloAsync(_cluster.Silos[1]);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _source.DisposeAsync();
    }
}

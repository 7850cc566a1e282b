using System.Net;
using System.Net.Sockets;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Granary.Silo.Hosting;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Storage;

namespace Granary.Silo.Clustering;

/// <summary>Composition of the cluster.</summary>
internal static class ClusteringHosting
{
    /// <summary>
    /// Orleans on PostgreSQL: membership and grain states. Probes find a silo that hangs within about a second; one that died is found sooner by
    /// <see cref="DeathWatch"/>. The liveness check of connections is off because it holds back the votes against a silo that hangs.
    /// </summary>
    public static void UseGranaryClustering(this ISiloBuilder silo, SiloSettings settings, Database database)
    {
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (settings.ClusterId, settings.ClusterId));
        silo.Configure<SiloOptions>(options => options.SiloName = settings.SiloName);
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = AddressOf(settings.SiloAddress);
            options.SiloPort = Ports.Choose(settings.SiloPort, 11111);
            options.GatewayPort = Ports.Choose(settings.GatewayPort, 30000);
        });
        silo.UseAdoNetClustering(options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.ConnectionString;
        });
        silo.Services.DecideVotesWithCare();
        // So that a caller elsewhere is told that PostgreSQL is away, and not that its exception has no codec, which would look like a defect.
        silo.Services.Configure<ExceptionSerializationOptions>(options => options.SupportedNamespacePrefixes.Add(nameof(Npgsql)));
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = settings.ProbeInterval;
            options.MaxProbeTimeout = settings.ProbeInterval;
            options.NumMissedProbesLimit = 3;
            options.NumVotesForDeathDeclaration = 2;
            options.EnableConnectionLivenessCheck = false;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(1);
        });
        // Entries that lived on a lost silo must not take healthy activations with them; a hold on a lost silo's range would keep its partitions
        // away for as long, and storage fences duplicates in any case.
#pragma warning disable ORLEANSEXP003
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.Configure<GrainDirectoryOptions>(options => options.RangeLeaseDuration = TimeSpan.Zero);
        silo.AddAdoNetGrainStorage("granary", storage => storage.Configure<Serializer>((options, serializer) =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.ConnectionString;
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));
        silo.Services.AddSingleton(provider => StandingOf(provider.GetRequiredService<ILocalSiloDetails>().SiloAddress, settings.ClusterId));
        silo.Services.AddSingleton<PeerConnections>();
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<PeerConnections>((options, connections) => connections.Observe(options));
        silo.Services.AddSingleton<IFatalErrorHandler, ExitAtOnce>();
    }

    /// <summary>Adds the watch over the members. Call it after Orleans and before what lets clients in.</summary>
    public static void AddGranaryMembers(this IServiceCollection services, NpgsqlDataSource source, string connectionString, string clusterId)
    {
        services.AddSingleton(_ => new HurriedQuestions(connectionString));
        services.AddSingleton<ClusteringDiagnostics>();
        services.AddSingleton(_ => new MemberRows(source, clusterId));
        services.AddSingleton<MapKeeper>();
        services.AddSingleton<MembersRefresh>(provider => () => provider.GetRequiredService<MapKeeper>().RefreshAsync(CancellationToken.None));
        services.AddSingleton<Peers>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<LeaseKeeper>(provider, provider.GetRequiredService<HurriedQuestions>().Source));
        services.AddHostedService(provider => provider.GetRequiredService<MapKeeper>());
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<DeathWatch>(provider, provider.GetRequiredService<HurriedQuestions>().Unpooled, clusterId));
        services.AddGranaryMigration();
    }

    /// <summary>Lets this silo take part when all else is up. Call it last.</summary>
    public static void AddGranaryMembership(this IServiceCollection services) => services.AddHostedService<Membership>();

    private static SiloStanding StandingOf(SiloAddress silo, string clusterId) => new(clusterId, silo.Endpoint.Address.ToString(), silo.Endpoint.Port, silo.Generation);

    private static void DecideVotesWithCare(this IServiceCollection services)
    {
        var table = services.Last(service => service.ServiceType == typeof(IMembershipTable));
        services.Remove(table);
        services.AddSingleton<DeathVotes>();
        services.AddSingleton<LastWord>();
        services.AddSingleton<Pulse>();
        services.AddHostedService(provider => provider.GetRequiredService<Pulse>());
        services.AddSingleton<IHealthCheckParticipant>(provider => provider.GetRequiredService<Pulse>());
        services.AddSingleton<IMembershipTable>(provider => ActivatorUtilities.CreateInstance<CautiousMembershipTable>(
            provider, ActivatorUtilities.CreateInstance(provider, table.ImplementationType!)));
    }

    /// <summary>A host name's first IPv4 address, or its first one.</summary>
    private static IPAddress AddressOf(string host)
    {
        if (IPAddress.TryParse(host, out var address))
            return address;
        var found = Dns.GetHostAddresses(host);
        return found.FirstOrDefault(one => one.AddressFamily == AddressFamily.InterNetwork) ?? found.FirstOrDefault()
            ?? throw new ArgumentException($"Granary:SiloAddress is '{host}', which is no IP address and has none.");
    }
}

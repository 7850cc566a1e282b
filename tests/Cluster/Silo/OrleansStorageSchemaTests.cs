using Granary.Cluster.Storage;
using Granary.Silo.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Storage;

namespace Granary.Cluster.Silo;

/// <summary>Our table and queries under Orleans' own ADO.NET provider.</summary>
public sealed class OrleansStorageSchemaTests(PrivatePostgres postgres)
{
    private const string Type = "catalog";

    private static readonly GrainId s_grain = GrainId.Create("topic", "0");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ensure_ByEightAtOnce_SucceedsOnAnEmptyDatabaseAndOnAFullOne()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        for (var round = 0; round < 2; round++)
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => OrleansStorageSchema.EnsureAsync(database, Cancellation)));

        await using var count = database.CreateCommand("SELECT count(*) FROM granary.orleansquery");
        Assert.Equal(4L, await count.ExecuteScalarAsync(Cancellation));
    }

    [Fact]
    public async Task Storage_WritesReadsAndClears()
    {
        await using var database = await CreateAsync();
        var storage = await StorageAsync(database, "one");
        var written = await WriteAsync(storage, "first");
        written.State = ["second"];
        await storage.WriteStateAsync(Type, s_grain, written);

        var read = await ReadAsync(await StorageAsync(database, "one"));
        Assert.Equal((true, "second", written.ETag), (read.RecordExists, read.State![0], read.ETag));

        await storage.ClearStateAsync(Type, s_grain, read);
        Assert.True((await ReadAsync(storage)).State is null or []);
        read.State = ["third"];
        await storage.WriteStateAsync(Type, s_grain, read);
        Assert.Equal("third", (await ReadAsync(storage)).State![0]);
    }

    [Fact]
    public async Task Write_AfterAnotherWriter_IsRefusedAndLeavesWhatIsThere()
    {
        await using var database = await CreateAsync();
        var storage = await StorageAsync(database, "one");
        await WriteAsync(storage, "first");
        var (quick, slow) = (await ReadAsync(storage), await ReadAsync(storage));
        quick.State = ["quick"];
        await storage.WriteStateAsync(Type, s_grain, quick);

        slow.State = ["slow"];
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync(Type, s_grain, slow));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync(Type, s_grain, slow));

        Assert.Equal("quick", (await ReadAsync(storage)).State![0]);
    }

    [Fact]
    public async Task Write_OfANewStateByTwo_IsRefusedToOneOfThem()
    {
        await using var database = await CreateAsync();
        var storage = await StorageAsync(database, "one");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            try
            {
                await WriteAsync(storage, $"writer {writer}");
                return writer;
            }
            catch (InconsistentStateException)
            {
                return -1;
            }
        }));

        var winner = Assert.Single(outcomes, outcome => outcome >= 0);
        Assert.Equal($"writer {winner}", (await ReadAsync(storage)).State![0]);
    }

    [Fact]
    public async Task Write_OfAMegabyte_IsReadBack()
    {
        await using var database = await CreateAsync();
        var storage = await StorageAsync(database, "one");
        var large = new string('x', 1 << 20);
        await WriteAsync(storage, large);

        Assert.Equal(large, (await ReadAsync(storage)).State![0]);
    }

    [Fact]
    public async Task Storage_OfTwoServices_IsKeptApart()
    {
        await using var database = await CreateAsync();
        var (one, two) = (await StorageAsync(database, "one"), await StorageAsync(database, "two"));
        await WriteAsync(one, "of one");

        Assert.False((await ReadAsync(two)).RecordExists);
        await WriteAsync(two, "of two");
        Assert.Equal(("of one", "of two"), ((await ReadAsync(one)).State![0], (await ReadAsync(two)).State![0]));
    }

    private static async Task<GrainState<List<string>>> WriteAsync(IGrainStorage storage, string text)
    {
        var state = new GrainState<List<string>> { State = [text] };
        await storage.WriteStateAsync(Type, s_grain, state);
        return state;
    }

    private static async Task<GrainState<List<string>>> ReadAsync(IGrainStorage storage)
    {
        var state = new GrainState<List<string>> { State = [] };
        await storage.ReadStateAsync(Type, s_grain, state);
        return state;
    }

    private async Task<NpgsqlDataSource> CreateAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        await OrleansStorageSchema.EnsureAsync(database, Cancellation);
        return database;
    }

    private static async Task<IGrainStorage> StorageAsync(NpgsqlDataSource database, string serviceId)
    {
        var services = new ServiceCollection().AddLogging().AddSerializer();
        services.Configure<ClusterOptions>(options => options.ServiceId = serviceId);
        services.AddOptions<AdoNetGrainStorageOptions>("granary").Configure<Serializer>((options, serializer) =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { SearchPath = OrleansStorageSchema.Schema }.ConnectionString;
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        });
        var storage = AdoNetGrainStorageFactory.Create(services.BuildServiceProvider(), "granary");
        var lifecycle = new SiloLifecycleSubject(NullLogger<SiloLifecycleSubject>.Instance);
        ((ILifecycleParticipant<ISiloLifecycle>)storage).Participate(lifecycle);
        await lifecycle.OnStart(Cancellation);
        return storage;
    }
}

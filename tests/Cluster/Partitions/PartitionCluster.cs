using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Cluster.Partitions;
using Granary.Cluster.Storage;
using Granary.Grains.Partitions;
using Granary.Grains.Storage;
using Granary.Grains.Topics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Storage;
using Orleans.TestingHost;

[assembly: AssemblyFixture(typeof(PartitionCluster))]

namespace Granary.Cluster.Partitions;

/// <summary>Two silos on a PostgreSQL database, with stores that fail on demand. Each test makes topics of its own.</summary>
public sealed class PartitionCluster : IAsyncLifetime
{
    private readonly PrivatePostgres _server = new();
    private readonly SharedGrainStorage _grainStorage = new();
    private InProcessTestCluster _cluster = null!;
    private int _topics;

    internal Faults Faults { get; } = new();

    internal NpgsqlDataSource Source { get; private set; } = null!;

    internal InProcessTestCluster Silos => _cluster;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        Source = await _server.CreateDatabaseAsync();
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddGranaryStorage(Source);
            silo.Services.AddSingleton<IPartitionStore>(provider => new FaultyStore(
                provider.GetRequiredService<PostgresPartitionStore>(), Faults, provider.GetRequiredService<IGrainContextAccessor>()));
            silo.Services.AddKeyedSingleton<IGrainStorage>("granary", _grainStorage);
            silo.Services.AddGranaryTopics();
            silo.Services.AddGranaryPartitions();
        });
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await Source.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>A new topic of one partition.</summary>
    internal async Task<TestPartition> NewPartitionAsync(params (string Name, string Value)[] configs)
    {
        var topic = new NewTopic(
            $"topic-{Interlocked.Increment(ref _topics)}",
            1,
            configs.ToImmutableDictionary(config => config.Name, config => (string?)config.Value));
        var created = await Catalog.CreateAsync([topic], validateOnly: false);
        Assert.Equal(Granary.Abstractions.ErrorCode.None, created[0].Error);
        var id = new PartitionId(created[0].Topic!.TopicId, 0);
        return new TestPartition(this, id, topic.Name);
    }

    internal ITopicCatalogGrain Catalog => _cluster.Client.GetGrain<ITopicCatalogGrain>(ITopicCatalogGrain.Key);

    internal IPartitionGrain Grain(PartitionId id) => _cluster.Client.GetGrain<IPartitionGrain>(id.ToKey());
}

/// <summary>A partition under test, and short ways to ask it.</summary>
internal sealed class TestPartition(PartitionCluster cluster, PartitionId id, string topic)
{
    public PartitionId Id => id;

    public string Topic => topic;

    public IPartitionGrain Grain => cluster.Grain(id);

    /// <summary>A batch with one record for each value.</summary>
    public static byte[] Batch(ProducerStamp producer, long timestamp, params string[] values)
    {
        var writer = new RecordBatchWriter();
        foreach (var value in values)
            writer.Append(timestamp++, null, System.Text.Encoding.UTF8.GetBytes(value));
        return writer.Build(producer);
    }

    public static ProducerStamp Producer(long id, int sequence, short epoch = 0) =>
        new() { ProducerId = id, ProducerEpoch = epoch, BaseSequence = sequence };

    public Task<AppendResult> AppendAsync(params string[] values) => AppendAsync(ProducerStamp.None, values);

    public Task<AppendResult> AppendAsync(ProducerStamp producer, params string[] values) =>
        AppendAsync(Batch(producer, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), values));

    public Task<AppendResult> AppendAsync(byte[] batch) => Grain.AppendAsync(new AppendRequest(new RecordBytes(batch)));

    /// <summary>Appends anew until the partition has opened its log again.</summary>
    public async Task<AppendResult> AppendUntilTakenAsync(ProducerStamp producer, params string[] values)
    {
        while (true)
        {
            var result = await AppendAsync(producer, values);
            if (result.Error is not Granary.Abstractions.ErrorCode.NotLeaderOrFollower)
                return result;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public Task<ReadResult> ReadAsync(long offset, int maxBytes = 1 << 20, bool strict = false) =>
        Grain.ReadAsync(new ReadRequest(offset, maxBytes, Strict: strict));

    /// <summary>All records from an offset on: offset and value.</summary>
    public async Task<List<(long Offset, string? Value)>> ReadAllAsync(long from = 0)
    {
        var all = new List<(long, string?)>();
        while (true)
        {
            var read = await ReadAsync(from);
            Assert.Equal(Granary.Abstractions.ErrorCode.None, read.Error);
            foreach (var record in RecordBatchReader.ReadAll(read.Records.ToContiguous()))
                all.Add((record.Offset, record.ValueText));
            if (all.Count > 0)
                from = all[^1].Item1 + 1;
            if (from >= read.HighWatermark)
                return all;
        }
    }

    /// <summary>Returns when that many readers wait: calls of one caller may overtake one another.</summary>
    public async Task UntilReadersWaitAsync(int count)
    {
        while ((await Grain.DescribeAsync()).WaitingReaders != count)
            await Task.Yield();
    }

    /// <summary>Ends the activation in order; the next call opens the log anew.</summary>
    public Task DeactivateAsync() => cluster.Silos.DeactivateAsync(Grain);
}

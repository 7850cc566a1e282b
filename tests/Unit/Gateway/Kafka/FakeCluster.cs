using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Idempotency;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Grains.Topics;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>Partitions and the real catalog's rules in memory, behind an <see cref="IGrainFactory"/>.</summary>
internal sealed class FakeCluster : ITopicCatalogGrain, IClusterMapGrain, IProducerIdGrain
{
    private readonly Lock _gate = new();
    private readonly TopicCatalog _catalog;
    private readonly ConcurrentDictionary<string, FakePartition> _partitions = new();
    private long _producerIds;

    public FakeCluster(TopicOptions? options = null)
    {
        _catalog = new TopicCatalog(new CatalogState(), options ?? new TopicOptions());
        var proxy = DispatchProxy.Create<IGrainFactory, FactoryProxy>();
        ((FactoryProxy)(object)proxy).Cluster = this;
        Grains = proxy;
    }

    public IGrainFactory Grains { get; }

    public FakeGroups Groups { get; } = new();

    public FakeKeys Keys { get; } = new();

    /// <summary>What the catalog waits for before it answers; it may throw.</summary>
    public Func<Task> BeforeCatalog { get; set; } = static () => Task.CompletedTask;

    /// <summary>Times that the catalog was asked.</summary>
    public int Asked;

    public FakePartition this[TopicDescription topic, int index] => Of(new PartitionId(topic.TopicId, index).ToKey());

    /// <param name="topicId">Empty: a new one.</param>
    public TopicDescription AddTopic(string name, int partitions = 1, Guid topicId = default)
    {
        var topic = new NewTopic(name, partitions, ImmutableDictionary<string, string?>.Empty);
        lock (_gate)
            return _catalog.Create(topic, topicId == default ? Guid.NewGuid() : topicId, validateOnly: false).Topic!;
    }

    public async Task<CatalogChanges> WatchAsync(long knownVersion, TimeSpan maxWait, CancellationToken cancellation = default)
    {
        if (maxWait > TimeSpan.Zero)
            return await new TaskCompletionSource<CatalogChanges>().Task.WaitAsync(cancellation);
        Interlocked.Increment(ref Asked);
        await BeforeCatalog();
        lock (_gate)
            return _catalog.ChangesSince(knownVersion);
    }

    /// <summary>The map never has anybody in it: the gateway leads everything.</summary>
    public Task<ClusterMap> WatchAsync(ulong knownFingerprint, TimeSpan maxWait, CancellationToken cancellation = default) =>
        new TaskCompletionSource<ClusterMap>().Task.WaitAsync(cancellation);

    public Task<ImmutableArray<TopicResult>> CreateAsync(ImmutableArray<NewTopic> topics, bool validateOnly) =>
        ChangeAsync(topics, topic => _catalog.Create(topic, Guid.NewGuid(), validateOnly));

    public Task<ImmutableArray<TopicResult>> DeleteAsync(ImmutableArray<TopicName> topics) => ChangeAsync(topics, _catalog.Delete);

    public Task<ImmutableArray<TopicResult>> CreatePartitionsAsync(ImmutableArray<NewPartitions> topics, bool validateOnly) =>
        ChangeAsync(topics, topic => _catalog.CreatePartitions(topic, validateOnly));

    public Task<ImmutableArray<TopicResult>> AlterConfigsAsync(ImmutableArray<TopicConfigChanges> topics, bool validateOnly) =>
        ChangeAsync(topics, topic => _catalog.AlterConfigs(topic, validateOnly));

    public Task<long> NextAsync() => Task.FromResult(Interlocked.Increment(ref _producerIds));

    private Task<ImmutableArray<TopicResult>> ChangeAsync<T>(ImmutableArray<T> topics, Func<T, TopicResult> change)
    {
        lock (_gate)
            return Task.FromResult<ImmutableArray<TopicResult>>([.. topics.Select(change)]);
    }

    private FakePartition Of(string key) => _partitions.GetOrAdd(key, static _ => new FakePartition());

    public class FactoryProxy : DispatchProxy
    {
        internal FakeCluster Cluster { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var wanted = targetMethod!.ReturnType;
            if (wanted == typeof(IGroupGrain) || wanted == typeof(IGroupListGrain) || wanted == typeof(IGroupMemberGrain))
                return Cluster.Groups;
            if (wanted == typeof(IIdempotencyGrain))
                return Cluster.Keys;
            if (wanted == typeof(IPartitionGrain))
                return Cluster.Of((string)args![0]!);
            return wanted == typeof(ITopicCatalogGrain) || wanted == typeof(IProducerIdGrain) || wanted == typeof(IClusterMapGrain) ? Cluster : throw new NotSupportedException(wanted.Name);
        }
    }
}

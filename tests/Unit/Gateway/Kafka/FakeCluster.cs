using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>Partitions and a catalog in memory, behind an <see cref="IGrainFactory"/>.</summary>
internal sealed class FakeCluster : ITopicCatalogGrain
{
    private readonly ConcurrentDictionary<string, FakePartition> _partitions = new();
    private readonly ConcurrentDictionary<string, TopicDescription> _topics = new();
    private long _version = 1;

    public FakeCluster()
    {
        var proxy = DispatchProxy.Create<IGrainFactory, FactoryProxy>();
        ((FactoryProxy)(object)proxy).Cluster = this;
        Grains = proxy;
    }

    public IGrainFactory Grains { get; }

    /// <summary>Times that the catalog was asked.</summary>
    public int Asked;

    public FakePartition this[TopicDescription topic, int index] => Of(new PartitionId(topic.TopicId, index).ToKey());

    public TopicDescription AddTopic(string name, int partitions = 1)
    {
        var topic = new TopicDescription(name, Guid.NewGuid(), partitions, ImmutableDictionary<string, string>.Empty, ++_version);
        _topics[name] = topic;
        return topic;
    }

    public Task<CatalogChanges> WatchAsync(long knownVersion, TimeSpan maxWait, CancellationToken cancellation = default)
    {
        if (maxWait > TimeSpan.Zero)
            return new TaskCompletionSource<CatalogChanges>().Task.WaitAsync(cancellation);
        Interlocked.Increment(ref Asked);
        return Task.FromResult(new CatalogChanges(_version, [.. _topics.Values], [], IsComplete: true));
    }

    public Task<ImmutableArray<TopicResult>> CreateAsync(ImmutableArray<NewTopic> topics, bool validateOnly) => throw new NotSupportedException();

    public Task<ImmutableArray<TopicResult>> DeleteAsync(ImmutableArray<TopicName> topics) => throw new NotSupportedException();

    public Task<ImmutableArray<TopicResult>> CreatePartitionsAsync(ImmutableArray<NewPartitions> topics, bool validateOnly) => throw new NotSupportedException();

    public Task<ImmutableArray<TopicResult>> AlterConfigsAsync(ImmutableArray<TopicConfigChanges> topics, bool validateOnly) => throw new NotSupportedException();

    private FakePartition Of(string key) => _partitions.GetOrAdd(key, static _ => new FakePartition());

    public class FactoryProxy : DispatchProxy
    {
        internal FakeCluster Cluster { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var wanted = targetMethod!.ReturnType;
            if (wanted == typeof(IPartitionGrain))
                return Cluster.Of((string)args![0]!);
            return wanted == typeof(ITopicCatalogGrain) ? Cluster : throw new NotSupportedException(wanted.Name);
        }
    }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;

namespace Granary.Unit.Clients;

/// <summary>
/// A cluster in memory, for what clients do with it: partitions that keep a log and a producer's sequences, one topic, producer ids. Its
/// partitions lose calls and answers as <see cref="Losses"/> says.
/// </summary>
public sealed class FakeCluster
{
    private readonly ConcurrentDictionary<string, FakePartition> _partitions = new();
    private long _nextProducerId = 1_000;
    private int _followers;

    public FakeCluster(int partitionCount = 3)
    {
        Topic = new TopicDescription("events", Guid.NewGuid(), partitionCount, ImmutableDictionary<string, string>.Empty, Version: 1);
        Grains = DispatchProxy.Create<IGrainFactory, FactoryProxy>();
        ((FactoryProxy)Grains).Cluster = this;
        Group = new FakeGroup(this);
    }

    public IGrainFactory Grains { get; }

    /// <summary>The one group that there is, whatever it is called.</summary>
    internal FakeGroup Group { get; }

    public TopicDescription? Topic { get; set; }

    /// <summary>Decides the fate of the next append; by default all goes well.</summary>
    public Func<CallFate> Losses { get; set; } = () => CallFate.Fine;

    /// <summary>Appends wait for this; completed by default.</summary>
    public Task AppendsMayGoOn { get; set; } = Task.CompletedTask;

    public int WaitCalls { get; set; }

    /// <summary>Those who wait for news of the catalog.</summary>
    public int Followers => _followers;

    public FakePartition Partition(int index) => Partition(new PartitionId(Topic!.TopicId, index).ToKey());

    private FakePartition Partition(string key) => _partitions.GetOrAdd(key, static (_, cluster) => new FakePartition(cluster), this);

    private Task<CatalogChanges> FollowAsync(CancellationToken ending)
    {
        Interlocked.Increment(ref _followers);
        ending.Register(() => Interlocked.Decrement(ref _followers));
        return new TaskCompletionSource<CatalogChanges>().Task;
    }

    public class FactoryProxy : DispatchProxy
    {
        public FakeCluster Cluster { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var asked = targetMethod!.GetGenericArguments().Single();
            if (asked == typeof(IPartitionGrain))
                return Cluster.Partition((string)args![0]!);
            if (asked == typeof(IGroupGrain) || asked == typeof(IGroupMemberGrain))
            {
                var group = asked == typeof(IGroupGrain) ? (object)Create<IGroupGrain, FakeGroup.GrainProxy>() : Create<IGroupMemberGrain, FakeGroup.GrainProxy>();
                ((FakeGroup.GrainProxy)group).Group = Cluster.Group;
                return group;
            }

            var grain = asked == typeof(IProducerIdGrain) ? (CallProxy)(object)Create<IProducerIdGrain, CallProxy>() : (CallProxy)(object)Create<ITopicCatalogGrain, CallProxy>();
            grain.Cluster = Cluster;
            return grain;
        }
    }

    public class CallProxy : DispatchProxy
    {
        public FakeCluster Cluster { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            nameof(IProducerIdGrain.NextAsync) => Task.FromResult(Interlocked.Increment(ref Cluster._nextProducerId)),
            nameof(ITopicCatalogGrain.WatchAsync) when (TimeSpan)args![1]! == TimeSpan.Zero => Task.FromResult(
                new CatalogChanges(Cluster.Topic is null ? 2 : 1, Cluster.Topic is { } topic ? [topic] : [], [], IsComplete: true)),
            nameof(ITopicCatalogGrain.WatchAsync) => Cluster.FollowAsync((CancellationToken)args![2]!),
            _ => throw new NotSupportedException(targetMethod.Name),
        };
    }
}

public enum CallFate
{
    Fine,
    NeverArrives,
    AnswerIsLost,
    NotLeader,
}

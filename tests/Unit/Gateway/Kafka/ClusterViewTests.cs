using System.Net;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka;
using Orleans.Runtime;

namespace Granary.Unit.Gateway.Kafka;

public sealed class ClusterViewTests
{
    private static readonly PartitionId s_partition = new(Guid.NewGuid(), 0);

    private readonly ClusterMap _older = new([MemberOf(1)]);
    private readonly ClusterMap _newer = new([MemberOf(1), MemberOf(2)]);
    private readonly KnownLeaders _known = new();

    /// <summary>Of two threads one has read the map before the other silo joined, and comes later.</summary>
    [Fact]
    public async Task Map_ReadBeforeASiloJoined_AndLookedAtAfterwards_DoesNotMakeItLeave()
    {
        var reads = new Queue<ClusterMap>([_newer, _newer, _older]);
        await using var topics = new TopicDirectory(new FakeCluster().Grains);
        var view = new ClusterView(
            new KafkaOptions { NodeId = 1 }, () => reads.TryDequeue(out var read) ? read : _newer, new LeaderTable(topics), new HostedPartitions(), _known);
        _known.Learn(s_partition, MemberOf(2).Silo, 5);

        for (var look = 0; look < 4; look++)
            Assert.Equal(1, view.ControllerId);

        Assert.Equal(new KnownLeader(MemberOf(2).Silo, 5), _known.Find(s_partition));
        Assert.Equal(new PartitionLeader(2, 5), view.LeaderOf(new Listener("kafka", "127.0.0.1", 9092), s_partition));
    }

    [Fact]
    public async Task Map_WithoutASilo_MakesItLeave_AndItsPartitionsNextEpochIsTold()
    {
        var map = _newer;
        await using var topics = new TopicDirectory(new FakeCluster().Grains);
        var view = new ClusterView(new KafkaOptions { NodeId = 1 }, () => map, new LeaderTable(topics), new HostedPartitions(), _known);
        _known.Learn(s_partition, MemberOf(2).Silo, 5);
        Assert.Equal(1, view.ControllerId);

        map = _older;

        Assert.Equal(new PartitionLeader(1, 6), view.LeaderOf(new Listener("kafka", "127.0.0.1", 9092), s_partition));
    }

    private static SiloMember MemberOf(int id) =>
        new(id, $"silo-{id}", SiloAddress.New(IPAddress.Loopback, 11110 + id, 1), [new MemberEndpoint("kafka", "127.0.0.1", 9091 + id)], false);
}

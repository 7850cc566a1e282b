using System.Collections.Immutable;
using System.Net;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Orleans.Runtime;

namespace Granary.Unit.Cluster;

/// <summary>Who leads what: even by topic and in all, the same everywhere, and little moves when something changes.</summary>
public sealed class PlacementTests
{
    public static TheoryData<int> Seeds => [1, 2, 3, 4, 5];

    [Theory, MemberData(nameof(Seeds))]
    public void Leaders_OfAnyTopics_AreEvenByTopicAndInAll(int seed)
    {
        var random = new Random(seed);
        var topics = TopicsOf(random, 200, _ => random.Next(1, 13));
        var map = MapOf(Enumerable.Range(1, random.Next(2, 8)));
        var leaders = new PartitionLeaders(map, topics);
        foreach (var topic in topics)
        {
            var shares = SharesOf([topic], leaders, map);
            Assert.InRange(shares.Max() - shares.Min(), 0, 1);
        }

        var all = SharesOf(topics, leaders, map);
        Assert.InRange(all.Max() - all.Min(), 0, 6);
    }

    [Theory, MemberData(nameof(Seeds))]
    public void Leaders_OfManyTopicsWithOnePartition_AreEven(int seed)
    {
        var map = MapOf([1, 2, 3]);
        var topics = TopicsOf(new Random(seed), 300, _ => 1);
        var shares = SharesOf(topics, new PartitionLeaders(map, topics), map);
        Assert.InRange(shares.Max() - shares.Min(), 0, 8);
    }

    [Theory, MemberData(nameof(Seeds))]
    public void NewTopic_MovesNoOther(int seed)
    {
        var random = new Random(seed);
        var map = MapOf([1, 2, 3]);
        var topics = TopicsOf(random, 50, _ => random.Next(1, 10));
        var before = new PartitionLeaders(map, topics[..49]);
        var after = new PartitionLeaders(map, topics);
        Assert.Equal(0, MovedOf(topics[..49], before, after));
    }

    [Theory, MemberData(nameof(Seeds))]
    public void SiloThatJoins_ReceivesItsShare_AndLittleElseMoves(int seed)
    {
        var random = new Random(seed);
        var topics = TopicsOf(random, 20, _ => random.Next(1, 60));
        var count = topics.Sum(topic => topic.PartitionCount);
        var three = new PartitionLeaders(MapOf([1, 2, 3]), topics);
        var four = new PartitionLeaders(MapOf([1, 2, 3, 4]), topics);
        var moved = MovedOf(topics, three, four);
        Assert.InRange(moved, count / 5, count / 2);
    }

    [Fact]
    public void DrainingSilo_LeadsNothing_UnlessThereIsNoOther()
    {
        var topics = TopicsOf(new Random(1), 10, _ => 6);
        var members = MapOf([1, 2]).Members;
        var draining = new ClusterMap([members[0] with { IsDraining = true }, members[1]]);
        var leaders = new PartitionLeaders(draining, topics);
        Assert.All(PartitionsOf(topics), partition => Assert.Equal(2, leaders.Of(partition)!.NodeId));
        var last = new PartitionLeaders(new ClusterMap([members[0] with { IsDraining = true }]), topics);
        Assert.All(PartitionsOf(topics), partition => Assert.Equal(1, last.Of(partition)!.NodeId));
    }

    [Fact]
    public void Leader_OfWhatIsNotThere_IsNobody()
    {
        var topics = TopicsOf(new Random(1), 1, _ => 3);
        Assert.Null(new PartitionLeaders(ClusterMap.Empty, topics).Of(new PartitionId(topics[0].TopicId, 0)));
        var leaders = new PartitionLeaders(MapOf([1]), topics);
        Assert.Null(leaders.Of(new PartitionId(topics[0].TopicId, 3)));
        Assert.Null(leaders.Of(new PartitionId(topics[0].TopicId, -1)));
        Assert.Null(leaders.Of(new PartitionId(Guid.NewGuid(), 0)));
    }

    [Fact]
    public void Fingerprint_IsTheSameForTheSameMembersInAnyOrder_AndAnotherForAnyChange()
    {
        var members = MapOf([1, 2, 3]).Members;
        var map = new ClusterMap(members);
        Assert.Equal(map.Fingerprint, new ClusterMap(members.Reverse()).Fingerprint);
        Assert.NotEqual(map.Fingerprint, new ClusterMap(members[..2]).Fingerprint);
        Assert.NotEqual(map.Fingerprint, new ClusterMap([members[0] with { IsDraining = true }, .. members[1..]]).Fingerprint);
        Assert.NotEqual(map.Fingerprint, new ClusterMap([members[0] with { Endpoints = [new("kafka", "other", 1)] }, .. members[1..]]).Fingerprint);
    }

    private static ClusterMap MapOf(IEnumerable<int> nodeIds) => new(nodeIds.Select(id =>
        new SiloMember(id, $"silo-{id}", SiloAddress.New(IPAddress.Loopback, 11110 + id, 1), [new MemberEndpoint("kafka", "127.0.0.1", 9092 + id)], false)));

    private static TopicDescription[] TopicsOf(Random random, int count, Func<int, int> partitions)
    {
        var id = new byte[16];
        return [.. Enumerable.Range(1, count).Select(index =>
        {
            random.NextBytes(id);
            return new TopicDescription($"topic-{index}", new Guid(id), partitions(index), ImmutableDictionary<string, string>.Empty, index, false, index);
        })];
    }

    private static IEnumerable<PartitionId> PartitionsOf(IEnumerable<TopicDescription> topics) =>
        topics.SelectMany(topic => Enumerable.Range(0, topic.PartitionCount).Select(index => new PartitionId(topic.TopicId, index)));

    private static int[] SharesOf(IEnumerable<TopicDescription> topics, PartitionLeaders leaders, ClusterMap map)
    {
        var byNode = PartitionsOf(topics).ToLookup(partition => leaders.Of(partition)!.NodeId);
        return [.. map.Members.Select(member => byNode[member.NodeId].Count())];
    }

    private static int MovedOf(IEnumerable<TopicDescription> topics, PartitionLeaders before, PartitionLeaders after) =>
        PartitionsOf(topics).Count(partition => before.Of(partition)!.NodeId != after.Of(partition)!.NodeId);
}

using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Cluster.Partitions;

public sealed class IdlePartitionTests(PartitionCluster cluster)
{
    private const int Partitions = 1_000;
    private const int MaxBytesEach = 16 << 10;

    [Fact]
    public async Task IdlePartitions_TakeLittleMemory()
    {
        // What the first partition loads is not theirs.
        await (await cluster.NewPartitionAsync()).AppendAsync("a");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var topic = new NewTopic("idle", Partitions, ImmutableDictionary<string, string?>.Empty);
        var created = await cluster.Catalog.CreateAsync([topic], validateOnly: false);
        var opened = await Task.WhenAll(Enumerable.Range(0, Partitions)
            .Select(index => cluster.Grain(new PartitionId(created[0].Topic!.TopicId, index)).DescribeAsync()));
        Assert.All(opened, one => Assert.Equal(Granary.Abstractions.ErrorCode.None, one.Error));
        opened = [];
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Partitions;
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes each");
        Assert.InRange(each, 0, MaxBytesEach);
    }
}

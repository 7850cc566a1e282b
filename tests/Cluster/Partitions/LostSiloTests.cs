using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Partitions;

/// <summary>On a cluster of its own: others would notice that a silo goes.</summary>
public sealed class LostSiloTests
{
    [Fact]
    public async Task Append_OfARepeat_AfterItsSiloWasLost_IsADuplicate()
    {
        await using var cluster = new PartitionCluster();
        await cluster.InitializeAsync();
        var partition = await cluster.NewPartitionAsync();
        for (var i = 0; i < 7; i++)
            await partition.AppendAsync(TestPartition.Producer(77, i * 2), $"a{i}", $"b{i}");
        var host = (await partition.Grain.DescribeAsync()).SiloName;
        await cluster.Silos.KillSiloAsync(cluster.Silos.Silos.Single(silo => silo.Name == host));
        for (var i = 2; i < 7; i++)
        {
            var repeat = await partition.AppendUntilTakenAsync(TestPartition.Producer(77, i * 2), $"a{i}", $"b{i}");
            Assert.Equal((ErrorCode.None, i * 2L), (repeat.Error, repeat.BaseOffset));
        }

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await partition.AppendAsync(TestPartition.Producer(77, 0), "a0", "b0")).Error);
        Assert.Equal(14, (await partition.AppendAsync(TestPartition.Producer(77, 14), "c")).BaseOffset);
        Assert.Equal(Enumerable.Range(0, 15).Select(i => (long)i), (await partition.ReadAllAsync()).Select(record => record.Offset));
    }
}

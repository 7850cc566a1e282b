using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Cluster.Partitions;

/// <summary>Nothing else runs beside it: it measures the memory of this program, in which the clusters of other tests come and go.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}

[Collection(AloneCollection.Name)]
public sealed class IdlePartitionTests(PartitionCluster cluster, ITestOutputHelper output)
{
    private const int Partitions = 1_000;
    private const int MaxBytesEach = 16 << 10;

    /// <summary>What two looks in a row may differ by: far below what a thousand partitions may take.</summary>
    private const long Unrest = 512 << 10;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task IdlePartitions_TakeLittleMemory()
    {
        // What the first partition loads is not theirs.
        await (await cluster.NewPartitionAsync()).AppendAsync("a");
        var before = await SettledMemoryAsync();
        var topic = new NewTopic("idle", Partitions, ImmutableDictionary<string, string?>.Empty);
        var created = await cluster.Catalog.CreateAsync([topic], validateOnly: false);
        var opened = await Task.WhenAll(Enumerable.Range(0, Partitions)
            .Select(index => cluster.Grain(new PartitionId(created[0].Topic!.TopicId, index)).DescribeAsync()));
        Assert.All(opened, one => Assert.Equal(Granary.Abstractions.ErrorCode.None, one.Error));
        opened = [];
        var each = (await SettledMemoryAsync() - before) / Partitions;
        output.WriteLine($"{each} bytes each");
        Assert.True(each <= MaxBytesEach, $"an idle partition takes {each} bytes, more than {MaxBytesEach}");
    }

    /// <summary>What is held when nothing is let go any more: clusters of earlier tests end a while after they are disposed of.</summary>
    private static async Task<long> SettledMemoryAsync()
    {
        using var patience = new CancellationTokenSource(s_patience);
        var last = long.MaxValue;
        while (true)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var held = GC.GetTotalMemory(forceFullCollection: true);
            if (Math.Abs(held - last) <= Unrest)
                return held;
            last = held;
            await Task.Delay(TimeSpan.FromMilliseconds(250), patience.Token);
        }
    }
}

using Granary.Cluster.Apis;
using Granary.Cluster.Storage;
using Granary.Support;

namespace Granary.Cluster.Silo;

/// <summary>Two clusters in one database, told apart by their ids alone.</summary>
public sealed class TwoClustersTests(PrivatePostgres postgres)
{
    [Fact]
    public async Task Clusters_InOneDatabase_SeeNothingOfEachOther_AndTheSecondIsToldOfTheFirst()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var first = await SiloProcess.StartAsync(OptionsOf(database.ConnectionString, "first"));
        var ofFirst = await first.NewFilledTopicAsync(3);
        await using var second = await SiloProcess.StartAsync(OptionsOf(database.ConnectionString, "second"));
        var ofSecond = await second.NewFilledTopicAsync(5);

        Assert.Equal(ofFirst, Assert.Single(await first.TopicsAsync()).Key);
        Assert.Equal(ofSecond, Assert.Single(await second.TopicsAsync()).Key);
        Assert.Equal(3, await first.EndOffsetAsync(ofFirst));
        Assert.Equal(5, await second.EndOffsetAsync(ofSecond));
        Assert.Single(await BrokersAsync(first));
        Assert.Single(await BrokersAsync(second));

        const string Hint = "This silo is the first of a new cluster";
        Assert.DoesNotContain(Hint, first.Output, StringComparison.Ordinal);
        Assert.Contains($"{Hint} 'second'; in the same database there are already: first.", second.Output, StringComparison.Ordinal);
    }

    private static SiloProcessOptions OptionsOf(string connectionString, string clusterId) =>
        new() { ConnectionString = connectionString, Settings = new Dictionary<string, string> { ["Granary__ClusterId"] = clusterId } };

    private static async Task<List<int>> BrokersAsync(SiloProcess silo)
    {
        await using var client = await silo.ConnectAsync();
        return (await client.MetadataAsync(12, new() { Topics = [] })).Brokers.ConvertAll(broker => broker.NodeId);
    }
}

using Granary.Cluster.Storage;
using Granary.Silo.Clustering;
using Granary.Silo.Hosting;

namespace Granary.Cluster.Silo;

public sealed class NodeNumberTests(PrivatePostgres postgres)
{
    [Fact]
    public async Task Of_ManyNamesAtOnce_IsStablePerNameDistinctBetweenThemAndKeptApartByCluster()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await OrleansStorageSchema.EnsureAsync(database, TestContext.Current.CancellationToken);
        var asked = Enumerable.Range(0, 96).Select(i => (Cluster: $"cluster-{i % 2}", Silo: $"silo-{i % 6}")).ToList();

        var given = await Task.WhenAll(asked.Select(async who =>
            (Who: who, Number: await NodeNumber.OfAsync(database, who.Cluster, who.Silo, TestContext.Current.CancellationToken))));

        var numbers = given.Distinct().ToList();
        Assert.Equal(asked.Distinct().Count(), numbers.Count);
        Assert.Equal(numbers.Count, numbers.Select(each => each.Number).Distinct().Count());
        Assert.All(numbers, each => Assert.True(each.Number > 0));
        foreach (var (who, number) in numbers)
            Assert.Equal(number, await NodeNumber.OfAsync(database, who.Cluster, who.Silo, TestContext.Current.CancellationToken));
    }
}

using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;
using Granary.Silo.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Granary.Cluster.Storage;

/// <summary>A silo that was declared dead and does not know it yet takes nothing back from those that have it now.</summary>
public sealed class StandingTests(PrivatePostgres server)
{
    private const int Active = 3;
    private const int Dead = 6;

    private static readonly SiloStanding s_standing = new("c", "127.0.0.1", 11111, 42);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_OfASiloThatIsDead_ChangesNothing()
    {
        await using var test = await TestStore.StartAsync(server);
        await OrleansStorageSchema.EnsureAsync(test.Source, Cancellation);
        await using var partitions = new PostgresPartitionStore(test.Source, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance, s_standing);
        await partitions.StartAsync(Cancellation);
        await using var groups = new PostgresGroupStore(test.Source, "c", new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance, s_standing);
        groups.Start();
        var id = TestStore.NewPartition();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => partitions.OpenAsync(id, null, Cancellation));
        Assert.Equal(1, await test.QueryAsync<int>($"""
            INSERT INTO granary.orleansmembershipversiontable (deploymentid) VALUES ('c');
            INSERT INTO granary.orleansmembershiptable (deploymentid, address, port, generation, siloname, hostname, status, starttime, iamalivetime)
            VALUES ('c', '127.0.0.1', 11111, 42, 's', 'h', {Active}, now(), now()) RETURNING 1
            """));
        Assert.Equal(0, (await partitions.OpenAsync(id, null, Cancellation)).Owned.LeaderEpoch);
        var group = (await groups.CreateAsync("g", 10, Cancellation))!.Owned;

        Assert.Equal(1, await test.QueryAsync<int>($"UPDATE granary.orleansmembershiptable SET status = {Dead} RETURNING 1"));
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => partitions.OpenAsync(id, null, Cancellation));
        Assert.Contains("no member of its cluster", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => groups.OpenAsync("g", Cancellation));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => groups.CreateAsync("another", 10, Cancellation));

        Assert.Equal(0, await test.QueryAsync<int>("SELECT max(leader_epoch) FROM granary.heads"));
        Assert.Equal(group.OwnerEpoch, await test.QueryAsync<long>("SELECT max(owner_epoch) FROM granary.groups"));
        await partitions.StopAsync(CancellationToken.None);
        await groups.StopAsync(CancellationToken.None);
    }
}

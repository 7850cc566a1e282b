using Granary.Cluster.Apis;
using Granary.Gateway.Hosting;
using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>A silo that is asked to stop hands its groups over, as it does its partitions; one that starts opens those that are its own.</summary>
public sealed class DrainedGroupsTests
{
    private const int Groups = 16;

    [Fact]
    public async Task StopAndStart_OpenGroupsWhereTheyBelong_WithoutAnybodyAsking()
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = 2 });
        string topic;
        await using (var client = await cluster[0].ConnectAsync())
            topic = await client.NewTopicAsync();
        var there = new List<string>();
        await using (var first = await cluster[0].ConnectAsync())
        await using (var second = await cluster[1].ConnectAsync())
        {
            for (var index = 0; index < Groups; index++)
            {
                // Who does not coordinate the group says so, but tells its positions.
                if (await first.CommitAsync($"group-{index}", topic, 0, 1) != 0)
                {
                    Assert.Equal(0, await second.CommitAsync($"group-{index}", topic, 0, 1));
                    there.Add($"group-{index}");
                }

                Assert.Equal(((short)0, 1L), await first.CommittedAsync($"group-{index}", topic, 0));
                Assert.Equal(((short)0, 1L), await second.CommittedAsync($"group-{index}", topic, 0));
            }
        }

        Assert.NotEmpty(there);
        await using var database = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString);
        var before = await OwnerEpochsAsync(database);
        Assert.Equal(Groups, before.Count);
        Assert.Equal((int)ExitCode.Stopped, await cluster[1].StopAsync());

        // Every opening takes a higher epoch.
        var after = await OwnerEpochsAsync(database);
        Assert.Equal(there.Order(), after.Where(group => group.Value > before[group.Key]).Select(group => group.Key).Order());

        cluster[0].Kill();
        await cluster.StartAsync(0);
        await Eventually.HoldsAsync("all groups are open on the silo that was started", async () => (await OwnerEpochsAsync(database)).All(group => group.Value > after[group.Key]));
    }

    private static async Task<Dictionary<string, long>> OwnerEpochsAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT group_id, owner_epoch FROM granary.groups");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var epochs = new Dictionary<string, long>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            epochs[reader.GetString(0)] = reader.GetInt64(1);
        return epochs;
    }
}

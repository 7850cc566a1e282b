using Granary.Cluster.Storage;
using Granary.Gateway.Hosting;
using Granary.Silo.Clustering;
using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>One silo a name. On a server that no other class uses: it is killed.</summary>
public sealed class SiloClaimTests(PrivatePostgres postgres) : IClassFixture<PrivatePostgres>
{
    private const int Longest = 120_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Take_WhileAnotherHasIt_IsRefusedForTheSameNameInTheSameClusterOnly()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using (var first = await TakeAsync(database, "a"))
        {
            Assert.NotNull(first);
            Assert.Null(await TakeAsync(database, "a"));
            await using var other = await TakeAsync(database, "b");
            Assert.NotNull(other);
            await using var another = await TakeAsync(database, "a", "silo-2");
            Assert.NotNull(another);
        }

        await using var next = await TakeAsync(database, "a");
        Assert.NotNull(next);
    }

    [Fact(Timeout = Longest)]
    public async Task Claim_AfterPostgresRestarted_IsTakenAgain()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var claim = await TakeAsync(database, "a");
        await postgres.KillAsync();
        await postgres.StartAgainAsync();

        await Eventually.HoldsAsync("the claim is held again", async () =>
        {
            try
            {
                await using var locks = database.CreateCommand(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
                return (long)(await locks.ExecuteScalarAsync(TestContext.Current.CancellationToken))! == 1;
            }
            catch (NpgsqlException)
            {
                // Pooled connections of before the crash.
                return false;
            }
        });
        Assert.Null(await TakeAsync(database, "a"));
    }

    [Fact]
    public async Task Silo_BesideAnother_IsRefusedAndStartsWhenTheFirstIsKilled()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var options = new SiloProcessOptions { ConnectionString = database.ConnectionString };
        await using var first = await SiloProcess.StartAsync(options);
        var topic = await first.NewFilledTopicAsync(3);

        var impatient = options with { Settings = new Dictionary<string, string> { ["Granary__ClaimPatience"] = "00:00:00" } };
        var second = await SiloProcess.RunToEndAsync(impatient);

        Assert.Equal((int)ExitCode.AnotherSilo, second.ExitCode);
        Assert.StartsWith("granary: Another silo named 'silo-1' of the cluster 'granary' works on this database", Assert.Single(second.Errors.Split('\n')), StringComparison.Ordinal);
        Assert.DoesNotContain("Password", second.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(3, await first.EndOffsetAsync(topic));

        first.Kill();
        await using var next = await SiloProcess.StartAsync(options);
        Assert.Equal(3, await next.EndOffsetAsync(topic));
    }

    private static Task<SiloClaim?> TakeAsync(NpgsqlDataSource database, string clusterId, string siloName = "silo-1") =>
        SiloClaim.TakeAsync(database.ConnectionString, clusterId, siloName, TimeSpan.Zero, Cancellation);
}

using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>In a cluster of two the vote of a single silo is enough to end the other, and the one that is new has the most to do.</summary>
public sealed class NewSiloIsNoJudgeTests
{
    private const int Active = 3;

    [Fact]
    public async Task ASiloThatHesitatesAfterAnotherHasJoined_IsNotEnded()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var old = await SiloProcess.StartAsync(OptionsOf(postgres, "old"));
        await using var joined = await SiloProcess.StartAsync(OptionsOf(postgres, "new"));

        old.Hang();
        try
        {
            await Eventually.HoldsAsync("the new silo would vote", () => joined.Output.Contains("no vote against it yet", StringComparison.Ordinal));
        }
        finally
        {
            old.Resume();
        }

        await Eventually.HoldsAsync("the old silo answers", async () => await IsHealthyAsync(old));
        Assert.Equal((Active, Active), (await StatusAsync(database, "old"), await StatusAsync(database, "new")));
    }

    private static SiloProcessOptions OptionsOf(PostgresProcess postgres, string name) => new()
    {
        ConnectionString = postgres.ConnectionString,
        Settings = new Dictionary<string, string> { ["Granary__SiloName"] = name },
    };

    private static async Task<bool> IsHealthyAsync(SiloProcess silo)
    {
        using var http = new HttpClient { BaseAddress = new Uri(silo.HttpUrl) };
        using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.IsSuccessStatusCode;
    }

    private static async Task<int> StatusAsync(NpgsqlDataSource database, string name)
    {
        await using var command = database.CreateCommand("SELECT max(status) FROM orleansmembershiptable WHERE siloname = $1");
        command.Parameters.AddWithValue(name);
        return (int)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}

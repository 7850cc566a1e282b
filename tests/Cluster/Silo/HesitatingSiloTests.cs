using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>A silo that hangs for a moment. In a cluster of two the vote of a single silo is enough to end the other.</summary>
public sealed class HesitatingSiloTests
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

        await Eventually.HoldsAsync("the old silo answers", () => IsHealthyAsync(old));
        Assert.Equal((Active, Active), (await StatusAsync(database, "old"), await StatusAsync(database, "new")));
    }

    [Fact]
    public async Task AVoteThatCouldNotBeCast_IsNotCastWhenTheSiloAnswersAgain()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using var hanging = await SiloProcess.StartAsync(OptionsOf(postgres, "hanging"));
        await using var judge = await SiloProcess.StartAsync(OptionsOf(postgres, "judge"));

        // They are new to each other for five seconds.
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);

        await postgres.KillAsync();
        hanging.Hang();
        try
        {
            await Eventually.HoldsAsync("a vote fails", () => judge.Output.Contains("processing suspect or kill lists", StringComparison.Ordinal));
        }
        finally
        {
            hanging.Resume();
        }

        await Eventually.HoldsAsync("the silo answers", () => IsAliveAsync(hanging));
        await postgres.StartAgainAsync();
        await Eventually.HoldsAsync("the vote is not cast", () => judge.Output.Contains("answers after all", StringComparison.Ordinal));
        await Eventually.HoldsAsync("all is well", async () => await IsHealthyAsync(hanging) && await IsHealthyAsync(judge));
        Assert.Equal((Active, Active), (await StatusAsync(database, "hanging"), await StatusAsync(database, "judge")));
    }

    private static SiloProcessOptions OptionsOf(PostgresProcess postgres, string name) => new()
    {
        ConnectionString = postgres.ConnectionString,
        Settings = new Dictionary<string, string> { ["Granary__SiloName"] = name },
    };

    private static Task<bool> IsHealthyAsync(SiloProcess silo) => AnswersAsync(silo, "/health/ready");

    private static Task<bool> IsAliveAsync(SiloProcess silo) => AnswersAsync(silo, "/health/live");

    private static async Task<bool> AnswersAsync(SiloProcess silo, string path)
    {
        using var http = new HttpClient { BaseAddress = new Uri(silo.HttpUrl) };
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.IsSuccessStatusCode;
    }

    private static async Task<int> StatusAsync(NpgsqlDataSource database, string name)
    {
        await using var command = database.CreateCommand("SELECT max(status) FROM orleansmembershiptable WHERE siloname = $1");
        command.Parameters.AddWithValue(name);
        return (int)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}

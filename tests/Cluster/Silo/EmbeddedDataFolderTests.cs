using System.Globalization;
using Granary.Gateway.Hosting;
using Granary.Silo.Postgres;
using Granary.Support;

namespace Granary.Cluster.Silo;

/// <summary>One data folder and the silos that want it, as `./dev run` starts them. Each test leaves the silo running.</summary>
public sealed class EmbeddedDataFolderTests(EmbeddedDataFolderTests.OneSilo fixture) : IClassFixture<EmbeddedDataFolderTests.OneSilo>
{
    private SiloProcess Silo => fixture.Silo;

    [Fact]
    public async Task Start_OnAFolderInUse_IsRefusedAndTheFirstGoesOn()
    {
        var topic = await Silo.NewFilledTopicAsync(2);

        var second = await SiloProcess.RunToEndAsync(new SiloProcessOptions { DataFolder = Silo.DataFolder });

        Assert.Equal((int)ExitCode.NoEmbeddedPostgres, second.ExitCode);
        Assert.Equal(
            $"granary: The data folder {Silo.DataFolder} is in use by another Granary. Stop it, or name another folder in GRANARY_DATA.",
            second.Errors);
        Assert.Equal(2, await Silo.EndOffsetAsync(topic));
    }

    [Fact]
    public async Task Start_AfterTheSiloWasKilled_AdoptsTheServerThatIsLeft()
    {
        var topic = await Silo.NewFilledTopicAsync(2);
        var server = Silo.PostgresProcessId();
        Silo.Kill();

        await Silo.RestartAsync();

        Assert.Equal(server, Silo.PostgresProcessId());
        Assert.Equal(2, await Silo.EndOffsetAsync(topic));
    }

    [Fact]
    public async Task Start_AfterSiloAndServerWereKilled_StartsAServerAnew()
    {
        var topic = await Silo.NewFilledTopicAsync(2);
        var server = Silo.PostgresProcessId();
        Silo.Kill();
        Silo.KillPostgres();
        Assert.Equal(server, Silo.PostgresProcessId());

        await Silo.RestartAsync();

        Assert.NotEqual(server, Silo.PostgresProcessId());
        Assert.Equal(2, await Silo.EndOffsetAsync(topic));
    }

    [Fact]
    public async Task Start_WhereTheServersProcessIdIsNowAnotherPrograms_StartsAServerAnew()
    {
        var topic = await Silo.NewFilledTopicAsync(2);
        Assert.Equal((int)ExitCode.Stopped, await Silo.StopAsync());
        var folder = Path.Combine(Silo.DataFolder, "postgres");
        var own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(Path.Combine(folder, "postmaster.pid"), $"{own}\n{folder}\n", TestContext.Current.CancellationToken);

        await Silo.RestartAsync();

        Assert.NotEqual(Environment.ProcessId, Silo.PostgresProcessId());
        Assert.Equal(2, await Silo.EndOffsetAsync(topic));
    }

    [Fact]
    public async Task Stop_TakesTheSocketsFolderWithIt()
    {
        var sockets = EmbeddedPostgres.SocketFolderOf(Silo.DataFolder);
        Assert.True(Directory.Exists(sockets));

        Assert.Equal((int)ExitCode.Stopped, await Silo.StopAsync());

        Assert.False(Directory.Exists(sockets));
        await Silo.RestartAsync();
    }

    [Fact]
    public async Task Start_WhereTheSocketsFolderIsALink_IsRefusedAndLeavesWhatItLeadsTo()
    {
        var folder = TestFolders.New();
        var foreign = Directory.CreateDirectory(Path.Combine(folder, "foreign")).FullName;
        var mode = File.GetUnixFileMode(foreign);
        var sockets = EmbeddedPostgres.SocketFolderOf(folder);
        Directory.CreateSymbolicLink(sockets, foreign);
        try
        {
            var ended = await SiloProcess.RunToEndAsync(new SiloProcessOptions { DataFolder = folder });

            Assert.Equal((int)ExitCode.NoEmbeddedPostgres, ended.ExitCode);
            Assert.StartsWith($"granary: The folder for PostgreSQL's socket, {sockets}, is a link to {foreign}", ended.Errors, StringComparison.Ordinal);
            Assert.Equal(mode, File.GetUnixFileMode(foreign));
        }
        finally
        {
            Directory.Delete(sockets);
            TestFolders.Delete(folder);
        }
    }

    public sealed class OneSilo : IAsyncLifetime
    {
        internal SiloProcess Silo { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Silo = await SiloProcess.StartAsync(new SiloProcessOptions());

        public ValueTask DisposeAsync() => Silo.DisposeAsync();
    }
}

using System.Diagnostics;
using System.Globalization;
using Granary.Support;

namespace Granary.Chaos;

/// <summary>`./dev cluster` and its companions, as a person types them.</summary>
[Collection(ClusterUnderFaults.Name)]
public sealed class ClusterCommandTests : IDisposable
{
    /// <summary>Below it the silos' ports stay below those of <see cref="FreePorts"/>, which other test programs take meanwhile.</summary>
    private const int LargestOffset = 880;

    private static readonly int[] s_ports = [9092, 9093, 9094, 8080, 8081, 8082, 11_111, 11_112, 30_000, 30_001];
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static readonly string? s_root = FindRoot();

    private readonly string _data = TestFolders.New();
    private readonly string _offset = FreeOffset().ToString(CultureInfo.InvariantCulture);

    public void Dispose() => TestFolders.Delete(_data);

    [Fact]
    public async Task ACluster_IsStartedShownKilledStartedAgainAndStopped()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the script is tried on Linux");
        Assert.SkipWhen(s_root is null, "the programs that ./dev starts are not built here: ./dev test builds them");
        (int Code, string Output) stopped;
        try
        {
            var (code, started) = await RunAsync("cluster", "2");
            Assert.True(code == 0, started);
            Assert.All(["silo-1 ", "silo-2 ", "gateway "], name => Assert.Contains(name, started, StringComparison.Ordinal));

            (code, var shown) = await RunAsync("status");
            Assert.True(code == 0, shown);
            Assert.DoesNotContain("NOT READY", shown, StringComparison.Ordinal);

            Assert.Equal(0, (await RunAsync("kill", "2")).Code);
            Assert.Contains("silo-2    does not run", (await RunAsync("status")).Output, StringComparison.Ordinal);
            Assert.Equal(1, (await RunAsync("kill", "2")).Code);

            (code, var again) = await RunAsync("start", "2");
            Assert.True(code == 0, again);
            Assert.DoesNotContain("does not run", (await RunAsync("status")).Output, StringComparison.Ordinal);
        }
        finally
        {
            stopped = await RunAsync("stop");
        }

        Assert.True(stopped.Code == 0, stopped.Output);
        Assert.All(["silo-1", "silo-2", "gateway", "postgres"], name => Assert.Contains($"{name} has stopped", stopped.Output, StringComparison.Ordinal));
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(s_root!, "dev"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GRANARY_DATA"] = _data;
        start.Environment["GRANARY_PORT_OFFSET"] = _offset;
        start.Environment["GRANARY_NO_BUILD"] = "1";
        start.Environment.Remove("ConnectionStrings__Granary");
        using var process = Process.Start(start)!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(s_patience);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var errors = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>The folder with `dev`, where what it starts is built.</summary>
    private static string? FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
                return new[] { "Silo", "Gateway" }.All(program => File.Exists(Path.Combine(folder.FullName, "src", program, "bin/Release/net10.0", $"Granary.{program}.dll"))) ? folder.FullName : null;
        }

        return null;
    }

    /// <summary>What to add to the ports of ./dev cluster so that all of them are free.</summary>
    private static int FreeOffset()
    {
        while (true)
        {
            var offset = Random.Shared.Next(1, LargestOffset);
            if (s_ports.All(port => FreePorts.IsFree(port + offset)))
                return offset;
        }
    }
}

using System.Globalization;
using Granary.Support;

namespace Granary.Chaos;

/// <summary>
/// A cluster under faults keeps every promise of a log. The short runs are part of the suite; `./dev chaos` sets the environment of the long
/// one: GRANARY_CHAOS_MINUTES, GRANARY_SEED, GRANARY_SILOS, GRANARY_CHAOS_CUTS.
/// </summary>
[Collection(ClusterUnderFaults.Name)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    private static readonly int s_silos = Number("GRANARY_SILOS") ?? 3;

    /// <summary>Every kind of fault once, cut links too where this machine has networks for them. Seeds that found something are added here.</summary>
    [Theory]
    [InlineData(2)]
    public Task ShortRun_IsClean(int seed) =>
        RunAsync(new ChaosSettings { Seed = seed, Silos = s_silos, Cuts = MayCut, Folder = ChaosSettings.FolderOf($"short-{seed}") });

    [Fact]
    public async Task LongRun_IsClean()
    {
        Assert.SkipWhen(Number("GRANARY_CHAOS_MINUTES") is null, "runs by ./dev chaos --minutes N");
        var seed = Number("GRANARY_SEED") ?? Random.Shared.Next();
        await RunAsync(new ChaosSettings
        {
            Seed = seed,
            Silos = s_silos,

            // As much as in a short run, from more clients: each has its own way through the faults.
            KafkaProducers = 8,
            Pace = TimeSpan.FromMilliseconds(75),
            Duration = TimeSpan.FromMinutes(Number("GRANARY_CHAOS_MINUTES") ?? 1),
            Cuts = MayCut,
            Folder = ChaosSettings.FolderOf(seed.ToString(CultureInfo.InvariantCulture)),
        });
    }

    /// <summary>A minority of fewer than three silos is none.</summary>
    private static bool MayCut => SiloNetworks.Missing is null && s_silos >= 3 && Number("GRANARY_CHAOS_CUTS") != 0;

    private async Task RunAsync(ChaosSettings settings)
    {
        var failures = await new ChaosRun(settings, output.WriteLine).ExecuteAsync();
        Assert.True(failures.Count == 0, $"seed {settings.Seed}, history in {settings.Folder}: {string.Join('\n', failures.Take(20))}");
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}

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

    /// <summary>Every kind of fault once, but for cut links. Seeds that found something are added here.</summary>
    [Theory]
    [InlineData(1)]
    public Task ShortRun_IsClean(int seed) =>
        RunAsync(new ChaosSettings { Seed = seed, Silos = s_silos, Folder = ChaosSettings.FolderOf($"short-{seed}") });

    /// <summary>Not by itself yet: see "Open" in the README beside this file.</summary>
    [Theory]
    [InlineData(2)]
    public async Task ShortRun_WithCutLinks_IsClean(int seed)
    {
        Assert.SkipWhen(Number("GRANARY_CHAOS_CUTS") != 1, "runs with GRANARY_CHAOS_CUTS=1: clients end in states that are not understood yet, in one run of several (tests/Chaos/README.md, Open)");
        Assert.SkipWhen(SiloNetworks.Missing is not null, SiloNetworks.Missing ?? "");
        Assert.SkipWhen(s_silos < 3, "a minority of fewer than three silos is none");
        await RunAsync(new ChaosSettings { Seed = seed, Silos = s_silos, Cuts = true, Folder = ChaosSettings.FolderOf($"short-cuts-{seed}") });
    }

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
            Cuts = SiloNetworks.Missing is null && s_silos >= 3 && Number("GRANARY_CHAOS_CUTS") != 0,
            Folder = ChaosSettings.FolderOf(seed.ToString(CultureInfo.InvariantCulture)),
        });
    }

    private async Task RunAsync(ChaosSettings settings)
    {
        var failures = await new ChaosRun(settings, output.WriteLine).ExecuteAsync();
        Assert.True(failures.Count == 0, $"seed {settings.Seed}, history in {settings.Folder}: {string.Join('\n', failures.Take(20))}");
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}

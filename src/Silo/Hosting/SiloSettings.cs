using Granary.Gateway.Hosting;

namespace Granary.Silo.Hosting;

/// <summary>The settings of this process, section `Granary` (environment: `Granary__SiloPort=11111`).</summary>
public sealed class SiloSettings
{
    /// <summary>Where HTTP listens. An address other than loopback opens it to whoever can reach it: there is no authentication yet.</summary>
    public string HttpUrl { get; set; } = "http://127.0.0.1:8080";

    /// <summary>Name of the cluster; silos with the same name in one database belong together, and see nothing of others.</summary>
    public string ClusterId { get; set; } = "granary";

    /// <summary>This silo's name, the same at every start and its own in the cluster: its broker number is kept by it.</summary>
    public string SiloName { get; set; } = "silo-1";

    /// <summary>The IP address, or a host name that has one, by which the other silos and in-cluster clients reach this silo. It listens there.</summary>
    public string SiloAddress { get; set; } = "127.0.0.1";

    /// <summary>
    /// How often silos probe one another, and how long a probe may take; three missed ones, seen by two silos, end a silo. Too short evicts silos
    /// that only paused; too long leaves the partitions of one that hangs without a leader.
    /// </summary>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Orleans' port between silos; 0: 11111, or a free one when that is taken.</summary>
    public int SiloPort { get; set; }

    /// <summary>Orleans' port for in-cluster clients; 0: 30000, or a free one when that is taken.</summary>
    public int GatewayPort { get; set; }

    /// <summary>How long a start waits for another silo's session on the database to end. Too small: a silo that was killed cannot start again at once.</summary>
    public TimeSpan ClaimPatience { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Where the embedded PostgreSQL keeps its data, when no connection string is given. Environment: GRANARY_DATA.</summary>
    public string DataFolder { get; set; } = ".granary";

    /// <summary>The folder that GRANARY_DATA names, or else <see cref="DataFolder"/>.</summary>
    public string ChosenDataFolder => Environment.GetEnvironmentVariable("GRANARY_DATA") is { Length: > 0 } folder ? folder : DataFolder;

    public static SiloSettings Read(IConfiguration configuration) => configuration.GetSection("Granary").Get<SiloSettings>() ?? new SiloSettings();

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        if (!ListenUrls.AreValid(HttpUrl))
            yield return $"{nameof(HttpUrl)} is '{HttpUrl}': a URL like http://127.0.0.1:8080 is wanted.";
        foreach (var (name, port) in new[] { (nameof(SiloPort), SiloPort), (nameof(GatewayPort), GatewayPort) })
        {
            if (port is < 0 or > 65535)
                yield return $"{name} is {port}: 0 to 65535 is wanted.";
        }

        foreach (var (name, value) in new[]
        {
            (nameof(ClusterId), ClusterId), (nameof(SiloAddress), SiloAddress), (nameof(SiloName), SiloName), (nameof(DataFolder), DataFolder),
        })
        {
            if (string.IsNullOrWhiteSpace(value))
                yield return $"{name} is empty.";
        }

        if (ProbeInterval < TimeSpan.FromMilliseconds(100) || ProbeInterval > TimeSpan.FromMinutes(1))
            yield return $"{nameof(ProbeInterval)} is {ProbeInterval}: 100 ms to 1 minute is wanted.";
        if (ClaimPatience < TimeSpan.Zero)
            yield return $"{nameof(ClaimPatience)} is {ClaimPatience}: 0 or more is wanted.";
    }
}

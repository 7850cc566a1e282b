namespace Granary.Silo.Hosting;

/// <summary>The settings of this process, section `Granary` (environment: `Granary__SiloPort=11111`).</summary>
public sealed class SiloSettings
{
    /// <summary>Where HTTP listens. An address other than loopback opens it to whoever can reach it: there is no authentication yet.</summary>
    public string HttpUrl { get; set; } = "http://127.0.0.1:8080";

    /// <summary>Name of the Orleans cluster; silos with the same name in one database belong together.</summary>
    public string ClusterId { get; set; } = "granary";

    /// <summary>Name of the service whose grains' states these are; it outlives clusters.</summary>
    public string ServiceId { get; set; } = "granary";

    /// <summary>This silo's name, the same at every start: its broker number is kept by it.</summary>
    public string SiloName { get; set; } = "silo-1";

    /// <summary>Orleans' port between silos; 0: 11111, or a free one when that is taken.</summary>
    public int SiloPort { get; set; }

    /// <summary>Orleans' port for in-cluster clients; 0: 30000, or a free one when that is taken.</summary>
    public int GatewayPort { get; set; }

    /// <summary>How long a start waits for another silo's session on the database to end. Too small: a silo that was killed cannot start again at once.</summary>
    public TimeSpan ClaimPatience { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Where the embedded PostgreSQL keeps its data, when no connection string is given. Environment: GRANARY_DATA.</summary>
    public string DataFolder { get; set; } = ".granary";

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        if (!IsListenable(HttpUrl))
            yield return $"{nameof(HttpUrl)} is '{HttpUrl}': a URL like http://127.0.0.1:8080 is wanted.";
        foreach (var (name, port) in new[] { (nameof(SiloPort), SiloPort), (nameof(GatewayPort), GatewayPort) })
        {
            if (port is < 0 or > 65535)
                yield return $"{name} is {port}: 0 to 65535 is wanted.";
        }

        foreach (var (name, value) in new[]
        {
            (nameof(ClusterId), ClusterId), (nameof(ServiceId), ServiceId), (nameof(SiloName), SiloName), (nameof(DataFolder), DataFolder),
        })
        {
            if (string.IsNullOrWhiteSpace(value))
                yield return $"{name} is empty.";
        }

        if (ClaimPatience < TimeSpan.Zero)
            yield return $"{nameof(ClaimPatience)} is {ClaimPatience}: 0 or more is wanted.";
    }

    /// <summary>What Kestrel takes: several with semicolons between them, and `*` for all addresses.</summary>
    private static bool IsListenable(string urls)
    {
        try
        {
            return urls.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(BindingAddress.Parse).ToList() is { Count: > 0 };
        }
        catch (FormatException)
        {
            return false;
        }
    }
}

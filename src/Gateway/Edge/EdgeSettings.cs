using System.Data.Common;
using Granary.Gateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace Granary.Gateway.Edge;

/// <summary>The settings of a gateway at the edge, section `Granary`; named as a silo's are.</summary>
public sealed class EdgeSettings
{
    /// <summary>PostgreSQL's provider, as Orleans loads it: by name. This program speaks no SQL itself.</summary>
    public const string Provider = "Npgsql";

    private const string Schema = "granary";

    private static readonly (string Name, string Value)[] s_defaults =
    [
        ("Application Name", "granary-edge"),
        ("Maximum Pool Size", "4"),
        ("Timeout", "5"),
        ("Command Timeout", "5"),
    ];

    /// <summary>Where HTTP listens. An address other than loopback opens it to whoever can reach it: there is no authentication yet.</summary>
    public string HttpUrl { get; set; } = "http://127.0.0.1:8080";

    /// <summary>Name of the cluster whose silos are looked for in the database.</summary>
    public string ClusterId { get; set; } = "granary";

    public static EdgeSettings Read(IConfiguration configuration) => configuration.GetSection("Granary").Get<EdgeSettings>() ?? new EdgeSettings();

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        if (!ListenUrls.AreValid(HttpUrl))
            yield return $"{nameof(HttpUrl)} is '{HttpUrl}': a URL like http://127.0.0.1:8080 is wanted.";
        if (string.IsNullOrWhiteSpace(ClusterId))
            yield return $"{nameof(ClusterId)} is empty.";
    }

    /// <summary>
    /// The connection string as this program uses it: in the schema that the silos made, and with few connections, for all that is read is the
    /// list of silos.
    /// </summary>
    /// <exception cref="ArgumentException">There is none, or it is none.</exception>
    public static string Complete(string? connectionString)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
            throw new ArgumentException("ConnectionStrings__Granary is not set: a gateway at the edge finds the silos by the database they work on.");
        // The provider's own words: one that it does not know is refused here and now.
        DbProviderFactories.RegisterFactory(Provider, $"{Provider}.{Provider}Factory, {Provider}");
        var builder = DbProviderFactories.GetFactory(Provider).CreateConnectionStringBuilder()!;
        builder.ConnectionString = connectionString;
        builder["Search Path"] = $"{Schema},public";
        foreach (var (name, value) in s_defaults)
        {
            if (!builder.ShouldSerialize(name))
                builder[name] = value;
        }

        return builder.ConnectionString;
    }
}

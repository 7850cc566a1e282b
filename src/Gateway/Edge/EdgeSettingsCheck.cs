using Granary.Gateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace Granary.Gateway.Edge;

/// <summary>Looks through the settings of a gateway at the edge, as a silo does with its own (<see cref="WrongSettings"/>).</summary>
internal static class EdgeSettingsCheck
{
    private static readonly IReadOnlyList<SettingsSection> s_sections =
    [
        SettingsSection.Of<EdgeSettings>("", settings => settings.Validate()),
        .. GatewayHosting.Sections,
    ];

    /// <summary>
    /// What silos alone have, directly below `Granary`. Both programs may be given the same file or environment: these are for the silos to look
    /// at, and no mistake here.
    /// </summary>
    public static IReadOnlyList<string> OfSilosAlone { get; } =
    [
        "SiloName", "SiloAddress", "SiloPort", "GatewayPort", "ProbeInterval", "ClaimPatience", "DataFolder",
        "Topics", "Partitions", "Storage", "Placement", "Groups", "ConsumerGroups", "Replay", "Idempotency",
    ];

    /// <summary>What is wrong, a sentence each; empty where nothing is.</summary>
    public static IEnumerable<string> Wrong(IConfiguration configuration) => WrongSettings.Of(configuration, s_sections, [.. OfSilosAlone]);
}

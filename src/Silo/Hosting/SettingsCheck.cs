using Granary.Gateway;
using Granary.Gateway.Hosting;
using Granary.Grains.Groups;
using Granary.Grains.Idempotency;
using Granary.Grains.Partitions;
using Granary.Grains.Replay;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Granary.Grains.Topics;

namespace Granary.Silo.Hosting;

/// <summary>Looks through all settings of a silo (<see cref="WrongSettings"/>).</summary>
internal static class SettingsCheck
{
    /// <summary>The sections below `Granary`, the empty name being `Granary` itself, with the class that each is read into.</summary>
    public static IReadOnlyList<SettingsSection> Sections { get; } =
    [
        SettingsSection.Of<SiloSettings>("", settings => settings.Validate()),
        .. GatewayHosting.Sections,
        SettingsSection.Of<TopicOptions>("Topics", options => options.Validate()),
        SettingsSection.Of<PartitionOptions>("Partitions", options => options.Validate()),
        SettingsSection.Of<StorageOptions>("Storage", options => options.Validate()),
        SettingsSection.Of<PlacementOptions>("Placement", options => options.Validate()),
        SettingsSection.Of<GroupOptions>("Groups", options => options.Validate()),
        SettingsSection.Of<ConsumerGroupOptions>("ConsumerGroups", options => options.Validate()),
        SettingsSection.Of<ReplayOptions>("Replay", options => options.Validate()),
        SettingsSection.Of<IdempotencyOptions>("Idempotency", options => options.Validate()),
    ];

    /// <summary>What is wrong, a sentence each; empty where nothing is.</summary>
    public static IEnumerable<string> Wrong(IConfiguration configuration) => WrongSettings.Of(configuration, Sections);

    /// <summary>Whether configuration has a say in that property.</summary>
    public static bool IsSetting(string path) =>
        !Sections.Any(section => section.Decided.Any(property => path.Equals($"{section.Path}:{property}", StringComparison.OrdinalIgnoreCase)));
}

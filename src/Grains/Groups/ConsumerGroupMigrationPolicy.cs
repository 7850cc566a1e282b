namespace Granary.Grains.Groups;

/// <summary>Which way a group with members may change its protocol (Kafka's ConsumerGroupMigrationPolicy). One without members always may.</summary>
public enum ConsumerGroupMigrationPolicy
{
    /// <summary>Neither way.</summary>
    Disabled,

    /// <summary>From the classic protocol to the consumer protocol, when the first consumer member joins.</summary>
    Upgrade,

    /// <summary>From the consumer protocol to the classic one, when all who are left speak that.</summary>
    Downgrade,

    /// <summary>Both ways.</summary>
    Bidirectional,
}

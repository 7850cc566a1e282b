namespace Granary.Chaos.Groups;

/// <summary>How a group's members share their partitions out.</summary>
internal enum GroupProtocolKind
{
    /// <summary>Classic protocol, cooperative-sticky: members keep what stays theirs during a rebalance.</summary>
    Cooperative,

    /// <summary>Classic protocol, range: members give everything back at each rebalance.</summary>
    Eager,

    /// <summary>KIP-848's protocol (group.protocol=consumer): the coordinator assigns.</summary>
    Consumer,
}

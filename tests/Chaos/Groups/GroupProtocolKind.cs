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

    /// <summary>The same protocol over grain calls, one of the members a static one.</summary>
    InCluster,

    /// <summary>One member of each: cooperative, of KIP-848's protocol, and in the cluster. The group changes its protocol as they come and go.</summary>
    Mixed,
}

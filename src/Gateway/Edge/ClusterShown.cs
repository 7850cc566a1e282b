namespace Granary.Gateway.Edge;

/// <summary>What GET /cluster answers, as far as `status` shows it.</summary>
internal sealed record ClusterShown(IReadOnlyList<SiloShown> Silos);

/// <param name="Address">Where the other silos reach it.</param>
/// <param name="State">active, draining (it hands its partitions over and will stop), or silent (it did not answer in time).</param>
internal sealed record SiloShown(int NodeId, string Name, string Address, string State, IReadOnlyList<PartitionShown> Partitions);

/// <param name="LeaderEpoch">-1: the partition is being opened.</param>
internal sealed record PartitionShown(string Topic, int Partition, int LeaderEpoch);

namespace Granary.Gateway.Http;

/// <summary>GET /cluster: who leads what, now.</summary>
internal sealed record ClusterShown(IReadOnlyList<SiloShown> Silos);

/// <param name="Address">Where Kafka's clients are told to connect to, by its first listener.</param>
/// <param name="State">Active, Draining (it hands its partitions over and will stop), or Silent (it did not answer in time).</param>
internal sealed record SiloShown(int NodeId, string Name, string Address, string State, IReadOnlyList<PartitionShown> Partitions);

/// <param name="LeaderEpoch">-1: the partition is being opened.</param>
internal sealed record PartitionShown(string Topic, int Partition, int LeaderEpoch);

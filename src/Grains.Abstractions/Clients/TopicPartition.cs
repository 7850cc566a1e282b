namespace Granary.Abstractions.Clients;

/// <summary>One partition of a topic, by the topic's name; partitions count from 0.</summary>
public readonly record struct TopicPartition(string Topic, int Partition)
{
    public override string ToString() => $"{Topic}[{Partition}]";
}

/// <summary>A partition, and where in it to start reading, or what a group is to keep of it.</summary>
public readonly record struct TopicPartitionOffset(TopicPartition Partition, LogPosition Position)
{
    public TopicPartitionOffset(string topic, int partition, LogPosition position)
        : this(new TopicPartition(topic, partition), position)
    {
    }

    /// <summary>
    /// What a commit keeps beside the offset, for whoever reads the group's positions; null: nothing. At most <c>Granary:Groups:MaxOffsetMetadataBytes</c>, or it is refused.
    /// </summary>
    public string? Metadata { get; init; }

    public override string ToString() => $"{Partition}@{Position}";
}

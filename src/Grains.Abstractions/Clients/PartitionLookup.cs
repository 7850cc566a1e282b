using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Clients;

/// <summary>From a partition's name to its log's id, by the catalog.</summary>
internal static class PartitionLookup
{
    /// <summary>The partition's id. Throws <see cref="LogException"/> where the catalog says that there is no such partition.</summary>
    public static async Task<PartitionId> FindAsync(TopicDirectory topics, TopicPartition partition, Retries retries)
    {
        if (topics.Find(partition.Topic) is not { } topic || partition.Partition >= topic.PartitionCount)
        {
            await retries.AskAsync(topics.StartAsync);
            topic = topics.Find(partition.Topic) ?? throw Missing($"there is no topic {partition.Topic}");
        }

        return partition.Partition >= 0 && partition.Partition < topic.PartitionCount
            ? new PartitionId(topic.TopicId, partition.Partition)
            : throw Missing($"topic {partition.Topic} has {topic.PartitionCount} partitions: there is no {partition.Partition}");
    }

    /// <summary>Asks the catalog anew, and throws where that log is no more (even if a new topic bears the name).</summary>
    public static async Task ThrowIfGoneAsync(TopicDirectory topics, TopicPartition partition, PartitionId id, Retries retries)
    {
        await retries.AskAsync(topics.RefreshAsync);
        if (topics.Find(id.TopicId) is null)
            throw Missing($"topic {partition.Topic} was deleted");
    }

    private static LogException Missing(string message) => new(ErrorCode.UnknownTopicOrPartition, message);
}

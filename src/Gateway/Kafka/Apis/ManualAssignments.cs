
namespace Granary.Gateway.Kafka.Apis;

/// <summary>
/// Replicas that a client places by hand. Granary places partitions itself and PostgreSQL keeps the copies, so what counts of an
/// assignment is how many partitions it speaks of; it is checked as Kafka checks it, but for the brokers' existence: tools that plan for
/// more brokers than there are get what they can use.
/// </summary>
internal static class ManualAssignments
{
    /// <summary>Checks the assignment of a new topic. Null: it is fine, and its count is the topic's number of partitions.</summary>
    public static (ErrorCode Error, string Message)? CheckNewTopic(
        int numPartitions,
        short replicationFactor,
        IReadOnlyList<(int PartitionIndex, IReadOnlyList<int> BrokerIds)> assignments)
    {
        if (numPartitions != -1)
            return (ErrorCode.InvalidRequest, $"numPartitions is {numPartitions}; with a manual assignment it must be -1.");
        if (replicationFactor != -1)
            return (ErrorCode.InvalidRequest, $"replicationFactor is {replicationFactor}; with a manual assignment it must be -1.");

        var indexes = new HashSet<int>();
        foreach (var (partitionIndex, brokerIds) in assignments)
        {
            if (!indexes.Add(partitionIndex))
                return (ErrorCode.InvalidReplicaAssignment, $"Partition {partitionIndex} is assigned twice.");
            if (CheckBrokers($"Partition {partitionIndex}", brokerIds) is { } refusal)
                return refusal;
        }

        // Distinct, and none outside of 0 to n - 1: then they are all of them.
        foreach (var index in indexes)
        {
            if (index < 0 || index >= assignments.Count)
            {
                return (
                    ErrorCode.InvalidReplicaAssignment,
                    $"Partition {index} is assigned; {assignments.Count} partitions must be 0 to {assignments.Count - 1}.");
            }
        }

        return null;
    }

    /// <summary>Checks the assignment of partitions that are added to a topic. Null: it is fine.</summary>
    public static (ErrorCode Error, string Message)? CheckNewPartitions(
        int existing,
        int wanted,
        IReadOnlyList<IReadOnlyList<int>> assignments)
    {
        var added = (long)wanted - existing;
        // What is no increase is refused by the catalog, with a better reason than this one.
        if (added > 0 && assignments.Count != added)
            return (ErrorCode.InvalidReplicaAssignment, $"{assignments.Count} partitions are assigned, but {added} are added.");

        for (var i = 0; i < assignments.Count; i++)
        {
            if (CheckBrokers($"New partition {i}", assignments[i]) is { } refusal)
                return refusal;
        }

        return null;
    }

    private static (ErrorCode Error, string Message)? CheckBrokers(string partition, IReadOnlyList<int> brokerIds)
    {
        if (brokerIds.Count == 0)
            return (ErrorCode.InvalidReplicaAssignment, $"{partition} is assigned to no broker.");
        return brokerIds.Distinct().Count() != brokerIds.Count
            ? (ErrorCode.InvalidReplicaAssignment, $"{partition} is assigned to a broker twice: {string.Join(", ", brokerIds)}.")
            : null;
    }
}

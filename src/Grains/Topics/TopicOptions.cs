namespace Granary.Grains.Topics;

/// <summary>Limits and defaults of the catalog.</summary>
public sealed class TopicOptions
{
    /// <summary>num.partitions: partitions of a topic that is created without a number.</summary>
    public int NumPartitions { get; set; } = 1;

    /// <summary>Topics in all. Beyond it creation is refused with POLICY_VIOLATION. Every change of the catalog writes all of it, about 150 bytes a topic.</summary>
    public int MaxTopics { get; set; } = 10_000;

    /// <summary>Partitions of all topics together; each open one costs a grain. Beyond it creation is refused with POLICY_VIOLATION.</summary>
    public int MaxPartitions { get; set; } = 100_000;

    /// <summary>Partitions of one topic. Beyond it creation is refused with INVALID_PARTITIONS.</summary>
    public int MaxPartitionsPerTopic { get; set; } = 10_000;

    /// <summary>Deletions of topics that followers can still be told one by one; who is further behind is sent the whole catalog.</summary>
    public int RememberedDeletions { get; set; } = 1_000;

    /// <summary>Partitions deleted at a time after their topic was.</summary>
    public int ConcurrentDeletions { get; set; } = 16;

    /// <summary>Processes that may follow the catalog at a time; one more is answered at once instead of when something changes.</summary>
    public int MaxWatchers { get; set; } = 10_000;

    /// <summary>What is wrong with these settings, a sentence each.</summary>
    public IEnumerable<string> Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(NumPartitions), NumPartitions),
            (nameof(MaxTopics), MaxTopics),
            (nameof(MaxPartitions), MaxPartitions),
            (nameof(MaxPartitionsPerTopic), MaxPartitionsPerTopic),
            (nameof(RememberedDeletions), RememberedDeletions),
            (nameof(ConcurrentDeletions), ConcurrentDeletions),
            (nameof(MaxWatchers), MaxWatchers),
        })
        {
            if (value < 1)
                yield return $"{name} is {value}: 1 or more is wanted.";
        }
    }
}

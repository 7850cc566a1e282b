using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>By topic, then index.</summary>
internal sealed class PartitionOrder : IComparer<PartitionId>
{
    public static readonly PartitionOrder Instance = new();

    public int Compare(PartitionId one, PartitionId other)
    {
        var byTopic = one.TopicId.CompareTo(other.TopicId);
        return byTopic != 0 ? byTopic : one.Index.CompareTo(other.Index);
    }
}

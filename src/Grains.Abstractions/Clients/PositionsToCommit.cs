using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Which positions are worth a commit: those that are not what the group keeps already. Of each owned partition it knows the offset that was last
/// committed, or found when the partition was assigned; -1: none.
/// </summary>
internal sealed class PositionsToCommit
{
    private readonly Dictionary<PartitionId, long> _committed = [];

    /// <summary>A partition is now owned.</summary>
    /// <param name="committed">What the group keeps; -1: nothing.</param>
    public void Begin(PartitionId partition, long committed) => _committed[partition] = committed;

    /// <summary>A partition is no longer owned: its positions are others' to commit.</summary>
    public void End(PartitionId partition) => _committed.Remove(partition);

    /// <summary>Of those positions the ones to commit: of owned partitions, and other than what is kept.</summary>
    public IReadOnlyDictionary<PartitionId, long> Due(IEnumerable<KeyValuePair<PartitionId, long>> positions) => positions
        .Where(position => _committed.TryGetValue(position.Key, out var kept) && kept != position.Value)
        .ToDictionary();

    public void Committed(IEnumerable<KeyValuePair<PartitionId, long>> positions)
    {
        foreach (var (partition, offset) in positions)
        {
            if (_committed.ContainsKey(partition))
                _committed[partition] = offset;
        }
    }
}

using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>What is to be kept, or kept, of a partition.</summary>
/// <param name="Offset">The next one to read; -1: nothing is kept.</param>
/// <param name="LeaderEpoch">Of the record before it; -1: not known.</param>
/// <param name="Metadata">Null: nothing was said, which is kept as the empty text.</param>
internal readonly record struct PositionToCommit(long Offset, int LeaderEpoch = -1, string? Metadata = null);

/// <summary>
/// Which positions are worth a commit: those that are not what the group keeps already. Of each owned partition it knows what was last
/// committed, or found when the partition was assigned.
/// </summary>
internal sealed class PositionsToCommit
{
    private readonly Dictionary<PartitionId, PositionToCommit> _committed = [];

    /// <summary>A partition is now owned.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="committed">What the group keeps.</param>
    public void Begin(PartitionId partition, PositionToCommit committed) => _committed[partition] = committed;

    /// <summary>A partition is no longer owned: its positions are others' to commit.</summary>
    public void End(PartitionId partition) => _committed.Remove(partition);

    /// <summary>Of those positions the ones to commit: of owned partitions, and other than what is kept.</summary>
    public IReadOnlyDictionary<PartitionId, PositionToCommit> Due(IEnumerable<KeyValuePair<PartitionId, PositionToCommit>> positions) => positions
        .Where(position => _committed.TryGetValue(position.Key, out var kept) && IsNews(kept, position.Value))
        .ToDictionary();

    public void Committed(IEnumerable<KeyValuePair<PartitionId, PositionToCommit>> positions)
    {
        foreach (var (partition, position) in positions)
        {
            if (_committed.ContainsKey(partition))
                _committed[partition] = position;
        }
    }

    /// <summary>Of the same offset only what is said beside it may be news: a commit by interval does not take away what was said before.</summary>
    private static bool IsNews(PositionToCommit kept, PositionToCommit position) =>
        kept.Offset != position.Offset || (position.Metadata is { } metadata && metadata != (kept.Metadata ?? ""));
}

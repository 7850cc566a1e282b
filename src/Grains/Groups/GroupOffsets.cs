using System.Collections.Immutable;
using System.Text;
using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;

namespace Granary.Grains.Groups;

/// <summary>
/// A group's positions as they are kept: a copy of what is durable, changed only when a write has become so. Pure. One life: a position is
/// absent, kept, replaced by a later commit, and absent again when it is forgotten.
/// </summary>
internal sealed class GroupOffsets(GroupOptions options, IEnumerable<KeptOffset> kept)
{
    private readonly Dictionary<PartitionId, KeptOffset> _kept = kept.ToDictionary(offset => offset.Committed.Partition);

    public int Count => _kept.Count;

    public IEnumerable<CommittedOffset> All => _kept.Values.Select(offset => offset.Committed);

    /// <summary>Whether that may be kept.</summary>
    public ErrorCode Check(OffsetToCommit offset)
    {
        if (offset.Metadata.Length > options.MaxOffsetMetadataBytes || Encoding.UTF8.GetByteCount(offset.Metadata) > options.MaxOffsetMetadataBytes)
            return ErrorCode.OffsetMetadataTooLarge;
        return _kept.Count >= options.MaxOffsets && !_kept.ContainsKey(offset.Partition) ? ErrorCode.GroupMaxSizeReached : ErrorCode.None;
    }

    /// <summary>-1: none.</summary>
    public long PositionOf(PartitionId partition) => _kept.TryGetValue(partition, out var kept) && kept.Committed.IsPosition ? kept.Committed.Offset : -1;

    /// <summary>Why a reset may not be; null: it may.</summary>
    /// <param name="isWriting">Commits are under way, of which nobody can tell what they will change.</param>
    public ResetResult? Check(OffsetReset reset, bool isActive, bool isWriting)
    {
        if (isActive && !reset.EvenIfActive)
            return ResetResult.Refuse(ResetRefusal.ActiveMembers, ErrorCode.NonEmptyGroup, "the group has members");
        if (_kept.Count + reset.Changes.Count(change => change.To >= 0 && !_kept.ContainsKey(change.Partition)) > options.MaxOffsets)
            return ResetResult.Refuse(ResetRefusal.Other, ErrorCode.GroupMaxSizeReached, $"the group would have more than {options.MaxOffsets} positions");
        if (reset.EvenIfMoved)
            return null;
        if (isWriting)
            return ResetResult.Refuse(ResetRefusal.StalePlan, ErrorCode.InvalidRequest, "positions of the group are being committed");
        foreach (var change in reset.Changes)
        {
            if (PositionOf(change.Partition) is var position && position != change.From)
                return ResetResult.Refuse(ResetRefusal.StalePlan, ErrorCode.InvalidRequest, $"the position of {change.Partition} is {position}, the plan began from {change.From}");
        }

        return null;
    }

    /// <summary>A position of -1 is forgotten. What a client wrote beside the old one does not belong to the new one.</summary>
    public static IReadOnlyList<OffsetWrite> ToWrites(ImmutableArray<ResetChange> changes, DateTimeOffset now) =>
    [
        .. changes.Select(change => change.To < 0
            ? new OffsetWrite(change.Partition, null)
            : ToWrite(new OffsetToCommit(change.Partition, change.To, change.LeaderEpoch, ""), now)),
    ];

    public static OffsetWrite ToWrite(OffsetToCommit offset, DateTimeOffset now) => new(
        offset.Partition,
        new KeptOffset(new CommittedOffset(offset.Partition, offset.Offset, offset.LeaderEpoch, offset.Metadata), now));

    /// <summary>What was written has become durable.</summary>
    public void Apply(IEnumerable<OffsetWrite> writes)
    {
        foreach (var (partition, offset) in writes)
        {
            if (offset is { } kept)
                _kept[partition] = kept;
            else
                _kept.Remove(partition);
        }
    }

    /// <param name="partitions">Empty: all.</param>
    public ImmutableArray<CommittedOffset> Find(ImmutableArray<PartitionId> partitions)
    {
        if (partitions.IsEmpty)
            return [.. All];
        var found = ImmutableArray.CreateBuilder<CommittedOffset>(partitions.Length);
        foreach (var partition in partitions)
        {
            if (_kept.TryGetValue(partition, out var kept))
                found.Add(kept.Committed);
        }

        return found.ToImmutable();
    }

    /// <summary>
    /// The positions that are no longer kept (KIP-211): of topics that are gone at once; others when the retention has passed since the group
    /// became empty, or since their commit where it never had members, or nobody of its members reads the topic any more.
    /// </summary>
    /// <param name="isRead">Whether a member may still read it.</param>
    /// <param name="emptySince">Null: the group never had members, or has some.</param>
    public IReadOnlyList<OffsetWrite> Expired(
        Func<PartitionId, bool> isGone, Func<PartitionId, bool> isRead, DateTimeOffset? emptySince, DateTimeOffset now)
    {
        var expired = new List<OffsetWrite>();
        foreach (var (partition, kept) in _kept)
        {
            var unusedSince = emptySince is { } since && since > kept.CommittedAt ? since : kept.CommittedAt;
            if (isGone(partition) || (!isRead(partition) && now - unusedSince >= options.OffsetsRetention))
                expired.Add(new OffsetWrite(partition, null));
        }

        return expired;
    }
}

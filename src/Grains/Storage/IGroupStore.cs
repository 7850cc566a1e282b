using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Storage;

/// <summary>
/// Groups and their positions, durable. A group is opened by its coordinator, which raises its owner epoch: from that commit on a former
/// coordinator can write nothing.
/// </summary>
internal interface IGroupStore
{
    /// <summary>Takes the group over where it exists; null where it does not.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    Task<OpenedGroup?> OpenAsync(string groupId, CancellationToken cancellation);

    /// <summary>Takes the group over, or makes it; null where there are <paramref name="maxGroups"/> already.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    Task<OpenedGroup?> CreateAsync(string groupId, int maxGroups, CancellationToken cancellation);

    /// <summary>
    /// Writes positions; shares its transaction with whatever else waits. Answers when they are durable. Writes of one owner take effect in the
    /// order in which they are asked for.
    /// </summary>
    /// <param name="reset">What goes into the history in the same transaction; null: nothing.</param>
    Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null);

    /// <summary>The group's history of resets, newest first; empty where there is no such group.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    Task<ImmutableArray<RecordedReset>> ListResetsAsync(string groupId, int limit, CancellationToken cancellation);

    /// <summary>Notes how the group is to be listed; false: the owner is fenced.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    Task<bool> NoteAsync(OwnedGroup group, string protocolType, GroupState state, GroupType type, CancellationToken cancellation);

    /// <summary>Deletes the group with its positions; false: the owner is fenced.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there, or whether it happened is not known.</exception>
    Task<bool> DeleteAsync(OwnedGroup group, CancellationToken cancellation);

    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    Task<ImmutableArray<GroupListing>> ListAsync(CancellationToken cancellation);

    /// <summary>Groups with something that may have to go: a position older than that, or of a topic that is not among the living, or nothing left at all.</summary>
    /// <param name="after">Only groups with a higher number, in the order of their numbers.</param>
    /// <exception cref="StoreUnavailableException">PostgreSQL is not there.</exception>
    Task<IReadOnlyList<(string GroupId, int Number)>> ListExpiredAsync(
        DateTimeOffset before, IReadOnlyCollection<Guid> living, int after, int limit, CancellationToken cancellation);
}

/// <param name="Number">Stands for the group in its rows.</param>
/// <param name="OwnerEpoch">Unique for each time a group was opened.</param>
internal sealed record OwnedGroup(string GroupId, int Number, long OwnerEpoch);

internal sealed record OpenedGroup(OwnedGroup Owned, IReadOnlyList<KeptOffset> Offsets);

/// <summary>A position as it lies in the store.</summary>
/// <param name="CommittedAt">By the clock of the coordinator that took it.</param>
internal readonly record struct KeptOffset(CommittedOffset Committed, DateTimeOffset CommittedAt);

/// <param name="Offset">Null: the position is forgotten.</param>
internal readonly record struct OffsetWrite(PartitionId Partition, KeptOffset? Offset);

/// <param name="Keep">How many resets the group's history keeps, this one with them.</param>
internal sealed record ResetEntry(RecordedReset Reset, int Keep);

internal enum GroupWriteOutcome
{
    /// <summary>Durable.</summary>
    Written,

    /// <summary>Certainly not written; the owner is still the owner.</summary>
    NotWritten,

    /// <summary>Too much waits already; certainly not written.</summary>
    Overloaded,

    /// <summary>Certainly not written: another coordinator has the group.</summary>
    Fenced,

    /// <summary>Nobody can tell; the owner is to open the group anew.</summary>
    Unknown,
}

using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;

namespace Granary.Grains.Groups;

/// <summary>
/// A group's hold on its rows in the store: whether it has any, and its positions. One group, one thread at a time. States: none (nothing is kept of
/// the group), owned, lost (another coordinator has it, or what is kept is in doubt: the activation is to end).
/// </summary>
internal sealed class GroupLedger(string groupId, GroupParts parts)
{
    private OwnedGroup? _owned;
    private readonly List<IReadOnlyList<OffsetWrite>> _writing = [];
    private Task<ErrorCode>? _owning;

    public GroupOffsets Offsets { get; private set; } = new(parts.Options, []);

    /// <summary>Something is kept of the group.</summary>
    public bool Exists => _owned is not null;

    public bool IsLost { get; private set; }

    /// <summary>A reset is being written: who asks for positions now might be told the former ones, and begin from them.</summary>
    public bool IsResetting { get; private set; }

    /// <summary>Writes that are under way.</summary>
    public int Writing => _writing.Count;

    public async Task OpenAsync(CancellationToken cancellation) => Take(await parts.Store.OpenAsync(groupId, cancellation));

    /// <summary>Makes the group where there is none; calls at the same time share one attempt.</summary>
    public async Task<ErrorCode> EnsureAsync()
    {
        if (_owned is not null)
            return ErrorCode.None;
        _owning ??= CreateAsync();
        var error = await _owning;
        _owning = null;
        return error;
    }

    /// <summary>Puts positions as planned, all or none, with the entry in the history.</summary>
    public async Task<ResetResult> ResetAsync(OffsetReset reset, bool isActive)
    {
        if (IsResetting)
            return ResetResult.Refuse(ResetRefusal.StalePlan, ErrorCode.CoordinatorLoadInProgress, "another reset of the group is being written");
        if (!Exists)
            return ResetResult.Refuse(ResetRefusal.Other, ErrorCode.GroupIdNotFound, $"group {groupId} does not exist");
        var check = Offsets.Check(reset, isActive, Writing > 0);
        if (check is not null)
            return check;
        var now = parts.Time.GetUtcNow();
        var done = new RecordedReset(reset.ResetId, now, reset.By, reset.Why, isActive, [.. reset.Changes.Select(change => change with { From = Offsets.PositionOf(change.Partition) })]);
        ErrorCode written;
        IsResetting = true;
        try
        {
            written = await WriteAsync(GroupOffsets.ToWrites(reset.Changes, now), new ResetEntry(done, parts.Options.MaxResetHistory));
        }
        finally
        {
            IsResetting = false;
        }

        return written == ErrorCode.None
            ? new ResetResult(ResetRefusal.None, ErrorCode.None, null, done)
            : ResetResult.Refuse(ResetRefusal.Other, written, "it was not written, or nobody can tell: execute the plan again, or read the history");
    }

    public async Task<ErrorCode> WriteAsync(IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null)
    {
        if (writes.Count == 0)
            return ErrorCode.None;
        if (_owned is not { } owned || IsLost)
            return ErrorCode.NotCoordinator;
        GroupWriteOutcome outcome;
        _writing.Add(writes);
        try
        {
            outcome = await parts.Store.WriteAsync(owned, writes, reset);
        }
        finally
        {
            _writing.Remove(writes);
        }

        switch (outcome)
        {
            case GroupWriteOutcome.Written:
                Offsets.Apply(writes);
                return ErrorCode.None;
            case GroupWriteOutcome.Overloaded:
                return ErrorCode.CoordinatorLoadInProgress;
            case GroupWriteOutcome.NotWritten:
                return ErrorCode.CoordinatorNotAvailable;
            default:
                parts.Diagnostics.WriteFailed(groupId, outcome);
                IsLost = true;
                return outcome == GroupWriteOutcome.Fenced ? ErrorCode.NotCoordinator : ErrorCode.CoordinatorNotAvailable;
        }
    }

    /// <summary>Forgets what is no longer kept, but for positions that are being written: they are about to be new.</summary>
    /// <param name="reads">Whether members read the topic of that name; null: it is gone.</param>
    /// <param name="emptySince">Null: the group never had members, or has some.</param>
    public async Task ExpireAsync(Func<string?, bool> reads, DateTimeOffset? emptySince)
    {
        var moving = _writing.SelectMany(writes => writes).Select(write => write.Partition).ToHashSet();
        var expired = Offsets.Expired(
            partition => parts.Topics.Find(partition.TopicId) is null,
            partition => reads(parts.Topics.Find(partition.TopicId)?.Name),
            emptySince,
            parts.Time.GetUtcNow()).Where(write => !moving.Contains(write.Partition)).ToArray();
        if (expired.Length > 0 && await WriteAsync(expired) == ErrorCode.None)
            parts.Diagnostics.Expired(groupId, expired.Length);
    }

    /// <summary>Notes how the group is to be listed.</summary>
    public async Task NoteAsync(string protocolType, GroupState state, GroupType type)
    {
        try
        {
            if (_owned is { } owned && !IsLost && !await parts.Store.NoteAsync(owned, protocolType, state, type, CancellationToken.None))
                IsLost = true;
        }
        catch (StoreUnavailableException failure)
        {
            parts.Diagnostics.NotNoted(failure, groupId);
        }
    }

    /// <summary>Forgets the group with all its positions, and plans to change them.</summary>
    public async Task<ErrorCode> DeleteAsync(IGrainFactory grains)
    {
        try
        {
            if (_owned is { } owned && await parts.Store.DeleteAsync(owned, CancellationToken.None))
            {
                (_owned, Offsets) = (null, new GroupOffsets(parts.Options, []));
                _ = ForgetPlansAsync(grains);
                return ErrorCode.None;
            }

            IsLost = true;
            return ErrorCode.NotCoordinator;
        }
        catch (StoreUnavailableException failure)
        {
            IsLost = true;
            parts.Diagnostics.WriteFailed(groupId, failure.Message);
            return ErrorCode.CoordinatorNotAvailable;
        }
    }

    /// <summary>How far the group is behind where it has a position; a partition that cannot be asked is -1.</summary>
    public async Task<ImmutableArray<PartitionLag>> MeasureAsync(IGrainFactory grains)
    {
        var committed = Offsets.All.Where(offset => offset.IsPosition && parts.Topics.Find(offset.Partition.TopicId) is not null).ToArray();
        var lags = new PartitionLag[committed.Length];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, committed.Length),
            new ParallelOptions { MaxDegreeOfParallelism = parts.Options.ConcurrentCalls, TaskScheduler = TaskScheduler.Current },
            async (index, _) => lags[index] = index < parts.Options.MaxLagsDescribed ? await MeasureAsync(grains, committed[index]) : new PartitionLag(committed[index], -1, -1));
        return ImmutableArray.Create(lags);
    }

    private static async Task<PartitionLag> MeasureAsync(IGrainFactory grains, CommittedOffset committed)
    {
        try
        {
            var lag = await grains.GetGrain<IPartitionGrain>(committed.Partition.ToKey()).MeasureLagAsync(committed.Offset);
            return lag.Error == ErrorCode.None
                ? new PartitionLag(committed, lag.HighWatermark, Math.Max(0, lag.HighWatermark - committed.Offset), lag.LogStartOffset, lag.OldestAge)
                : new PartitionLag(committed, -1, -1);
        }
        catch (Exception)
        {
            // Away for the moment; the others' answers are worth having.
            return new PartitionLag(committed, -1, -1);
        }
    }

    private async Task ForgetPlansAsync(IGrainFactory grains)
    {
        try
        {
            await grains.GetGrain<IGroupResetGrain>(IGroupGrain.KeyOf(groupId)).ForgetAsync();
        }
        catch (Exception failure)
        {
            // What stays behind can do no harm: no position is where those plans begin.
            parts.Diagnostics.PlansNotForgotten(failure, groupId);
        }
    }

    private async Task<ErrorCode> CreateAsync()
    {
        try
        {
            Take(await parts.Store.CreateAsync(groupId, parts.Options.MaxGroups, CancellationToken.None));
            return _owned is null ? ErrorCode.GroupMaxSizeReached : ErrorCode.None;
        }
        catch (StoreUnavailableException failure)
        {
            parts.Diagnostics.NotOpened(groupId, failure.Message);
            return ErrorCode.CoordinatorNotAvailable;
        }
    }

    private void Take(OpenedGroup? opened)
    {
        if (opened is null)
            return;
        _owned = opened.Owned;
        Offsets = new GroupOffsets(parts.Options, opened.Offsets);
    }
}

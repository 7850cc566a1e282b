using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Placement;
using Orleans.Concurrency;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Granary.Grains.Groups;

/// <summary>
/// A consumer group's coordinator. Key: <see cref="IGroupGrain.KeyOf"/>. Persisted: the group at each new generation, assignment and replaced static
/// member, before anyone is told (not at heartbeats); positions by <see cref="GroupLedger"/>. Concurrency: reentrant; the machine is changed
/// between awaits only. A restart or move loses who was about to join; members keep their generation and assignment and get their whole session anew, so
/// it makes no rebalance. A save that fails ends the activation: whether it was written is not guessed but read by the next one.
/// </summary>
[Reentrant, CoordinatedByMap]
internal sealed class GroupGrain([PersistentState("group", "granary")] IPersistentState<GroupGrainState> state, GroupParts parts) : Grain, IGroupGrain
{
    // While a group has members its grain is kept by its timer, which rings at least so often.
    private static readonly TimeSpan s_longestSleep = TimeSpan.FromMinutes(1);

    private readonly ClassicWaiting _waiting = new();
    private string _groupId = "";
    private ErrorCode _refusal;
    private ClassicGroup _group = null!;
    private GroupLedger _ledger = null!;
    private IGrainTimer? _timer;
    private Task _saving = Task.CompletedTask;
    private bool _unsaved;
    private bool _deleting;
    private bool _ended;
    private (GroupState, string) _noted;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _groupId = IGroupGrain.IdOf(this.GetPrimaryKeyString());
        _refusal = _groupId.Length > IGroupGrain.MaxIdLength || _groupId.Contains('\0') ? ErrorCode.InvalidGroupId : ErrorCode.None;
        _ledger = new GroupLedger(_groupId, parts);
        _group = new ClassicGroup(parts.Options);
        if (_refusal != ErrorCode.None)
            return;
        await _ledger.OpenAsync(cancellationToken);
        if (_ledger.Exists && state.State.Classic is { } kept)
            _group = ClassicGroup.Restore(parts.Options, kept, parts.Now);
        parts.Hosted.Add(_groupId, List);
        Schedule();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        End();
        parts.Hosted.Remove(_groupId, List);
        return Task.CompletedTask;
    }

    public async Task<JoinResult> JoinAsync(JoinRequest request)
    {
        var refusal = _groupId.Length == 0 ? ErrorCode.InvalidGroupId : Refuse();
        if (refusal == ErrorCode.None && !_ledger.Exists)
            refusal = request.MemberId.Length == 0 ? await EnsureAsync() : ErrorCode.UnknownMemberId;
        if (refusal != ErrorCode.None)
            return JoinResult.Refuse(refusal, request.MemberId);
        var answer = _waiting.ForJoin(out var ticket);
        _group.Join(ticket, request, $"{request.InstanceId ?? request.ClientId}-{Guid.NewGuid()}", parts.Now);
        Settle();
        return await answer;
    }

    public async Task<SyncResult> SyncAsync(SyncRequest request)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return SyncResult.Refuse(refusal);
        var answer = _waiting.ForSync(out var ticket);
        _group.Sync(ticket, request, parts.Now);
        Settle();
        return await answer;
    }

    public Task<ErrorCode> HeartbeatAsync(GroupCaller caller) =>
        Task.FromResult(Refuse() is var refusal and not ErrorCode.None ? refusal : _group.Heartbeat(caller, parts.Now));

    public Task<ImmutableArray<ErrorCode>> LeaveAsync(ImmutableArray<LeavingMember> members)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return Task.FromResult(All(refusal, members.Length));
        var now = parts.Now;
        ImmutableArray<ErrorCode> answers = [.. members.Select(member => _group.Leave(member, now))];
        Settle();
        return Task.FromResult(answers);
    }

    public async Task<ImmutableArray<ErrorCode>> CommitAsync(CommitRequest request)
    {
        var refusal = Refuse();
        if (refusal == ErrorCode.None)
            refusal = _group.CheckCommit(request.Caller, parts.Now);
        if (refusal == ErrorCode.None && !_ledger.Exists)
            refusal = await EnsureAsync();
        if (refusal != ErrorCode.None)
            return All(refusal, request.Offsets.Length);
        var answers = request.Offsets.Select(_ledger.Offsets.Check).ToArray();
        var now = parts.Time.GetUtcNow();
        var written = await _ledger.WriteAsync([.. request.Offsets.Where((_, index) => answers[index] == ErrorCode.None).Select(offset => GroupOffsets.ToWrite(offset, now))]);
        EndIfLost();
        return [.. answers.Select(answer => answer == ErrorCode.None ? written : answer)];
    }

    public Task<CommittedOffsets> FetchOffsetsAsync(ImmutableArray<PartitionId> partitions) => Task.FromResult(
        Refuse() is var refusal and not ErrorCode.None
            ? new CommittedOffsets(refusal, [])
            : new CommittedOffsets(ErrorCode.None, _ledger.Offsets.Find(partitions)));

    public async Task<ImmutableArray<ErrorCode>> DeleteOffsetsAsync(ImmutableArray<PartitionId> partitions)
    {
        var refusal = Refuse();
        if (refusal == ErrorCode.None && !_ledger.Exists)
            refusal = ErrorCode.GroupIdNotFound;
        if (refusal == ErrorCode.None && _group.Members.Count > 0 && _group.ProtocolType != ClassicSubscription.ProtocolType)
            refusal = ErrorCode.NonEmptyGroup;
        if (refusal != ErrorCode.None)
            return All(refusal, partitions.Length);
        var subscribed = GroupReaders.TopicsOf(_group);
        var answers = partitions.Select(partition => subscribed.Reads(parts.Topics.Find(partition.TopicId)?.Name) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None).ToArray();
        var written = await _ledger.WriteAsync([.. partitions.Where((_, index) => answers[index] == ErrorCode.None).Select(partition => new Storage.OffsetWrite(partition, null))]);
        EndIfLost();
        return [.. answers.Select(answer => answer == ErrorCode.None ? written : answer)];
    }

    public async Task<ResetResult> ResetAsync(OffsetReset reset)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return ResetResult.Refuse(ResetRefusal.Other, refusal, "the group cannot be reset here");
        var result = await _ledger.ResetAsync(reset, isActive: _group.State != GroupState.Empty);
        EndIfLost();
        return result;
    }

    public async Task<GroupDescription> DescribeAsync(bool withLags)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return GroupDescription.Missing with { Error = refusal };
        if (!_ledger.Exists)
            return GroupDescription.Missing;
        var described = GroupReaders.Describe(_group);
        return withLags ? described with { Lags = await _ledger.MeasureAsync(GrainFactory) } : described;
    }

    public async Task<ErrorCode> DeleteAsync()
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return refusal;
        if (!_ledger.Exists)
            return ErrorCode.GroupIdNotFound;
        if (_group.State != GroupState.Empty)
            return ErrorCode.NonEmptyGroup;
        _deleting = true;
        try
        {
            await _saving;
            var error = _ended ? ErrorCode.NotCoordinator : await _ledger.DeleteAsync();
            if (error == ErrorCode.None)
            {
                (_group, _noted) = (new ClassicGroup(parts.Options), default);
                await ClearAsync();
            }

            EndIfLost();
            return error;
        }
        finally
        {
            _deleting = false;
        }
    }

    public async Task ExpireAsync()
    {
        if (Refuse() != ErrorCode.None || !_ledger.Exists)
            return;
        // A topic that was made a moment ago must not pass for one that was deleted.
        await parts.Topics.RefreshAsync();
        var readers = GroupReaders.TopicsOf(_group);
        var emptySince = _group.State == GroupState.Empty ? state.State.Classic?.EmptySince : null;
        var expired = _ledger.Offsets.Expired(
            partition => parts.Topics.Find(partition.TopicId) is null,
            partition => readers.Reads(parts.Topics.Find(partition.TopicId)?.Name),
            emptySince,
            parts.Time.GetUtcNow());
        if (expired.Count > 0 && await _ledger.WriteAsync(expired) == ErrorCode.None)
            parts.Diagnostics.Expired(_groupId, expired.Count);
        EndIfLost();
        if (_ledger.Offsets.Count == 0 && _ledger.Writing == 0 && _group.State == GroupState.Empty)
            await DeleteAsync();
    }

    public Task MoveAsync(SiloAddress from, SiloAddress to)
    {
        // A call that was sent while the grain moved already finds it where it belongs.
        if (!from.Equals(parts.LocalSilo) || to.Equals(from))
            return Task.CompletedTask;
        End();
        this.GrainContext.Migrate(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = to });
        return Task.CompletedTask;
    }

    private ErrorCode Refuse() => _refusal != ErrorCode.None ? _refusal : _ended || _deleting ? ErrorCode.NotCoordinator : ErrorCode.None;

    private async Task<ErrorCode> EnsureAsync()
    {
        var error = await _ledger.EnsureAsync();
        return error != ErrorCode.None ? error : Refuse();
    }

    /// <summary>Hands out what the machine has answered: at once, or after what changed with it has been saved.</summary>
    private void Settle()
    {
        _unsaved |= _group.TakeChanged();
        _waiting.Hold(_group.TakeAnswers());
        if (_unsaved && _saving.IsCompleted)
            _saving = SaveAsync();
        else if (_saving.IsCompleted)
            _waiting.Release();
        Schedule();
    }

    private async Task SaveAsync()
    {
        while (_unsaved && !_ended)
        {
            _unsaved = false;
            _waiting.Seal();
            try
            {
                var kept = _group.ToState();
                kept.EmptySince = kept.State != GroupState.Empty ? null : state.State.Classic?.EmptySince ?? parts.Time.GetUtcNow();
                state.State = new GroupGrainState { Classic = kept };
                await state.WriteStateAsync();
            }
            catch (Exception failure)
            {
                parts.Diagnostics.SaveFailed(failure, _groupId);
                End();
                DeactivateOnIdle();
                return;
            }

            _waiting.ReleaseSealed();
            parts.Diagnostics.Changed(_groupId, _group.State, _group.Generation, _group.Members.Count);
        }

        _waiting.Release();
        _ = NoteAsync();
    }

    private async Task NoteAsync()
    {
        var now = (_group.State, _group.ProtocolType);
        if (now == _noted || _group.State is not (GroupState.Stable or GroupState.Empty))
            return;
        _noted = now;
        await _ledger.NoteAsync(now.ProtocolType, now.State);
        EndIfLost();
    }

    private async Task ClearAsync()
    {
        try
        {
            await state.ClearStateAsync();
        }
        catch (Exception failure)
        {
            // Without the rows of the store it counts for nothing.
            parts.Diagnostics.SaveFailed(failure, _groupId);
            End();
            DeactivateOnIdle();
        }
    }

    private void Schedule()
    {
        var next = _group.NextDeadline;
        if (_ended || next == TimeSpan.MaxValue)
        {
            // Members that wait are bounded by the group's own deadlines; without any there is nothing to wake for.
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var due = next - parts.Now;
        due = due < TimeSpan.Zero ? TimeSpan.Zero : due > s_longestSleep ? s_longestSleep : due;
        if (_timer is null)
            _timer = this.RegisterGrainTimer(RingAsync, new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        else
            _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private Task RingAsync(CancellationToken cancellation)
    {
        if (_ended)
            return Task.CompletedTask;
        _group.Tick(parts.Now);
        Settle();
        return Task.CompletedTask;
    }

    private void EndIfLost()
    {
        if (!_ledger.IsLost || _ended)
            return;
        End();
        DeactivateOnIdle();
    }

    /// <summary>Nothing is answered from here any more; who waits is sent to look for the coordinator anew.</summary>
    private void End()
    {
        _ended = true;
        _group.End(ErrorCode.NotCoordinator);
        _group.TakeAnswers();
        _waiting.Refuse(ErrorCode.NotCoordinator);
    }

    private GroupListing? List() => _ledger.Exists ? new GroupListing(_groupId, _group.ProtocolType, _group.State) : null;

    private static ImmutableArray<ErrorCode> All(ErrorCode error, int count) => [.. Enumerable.Repeat(error, count)];
}

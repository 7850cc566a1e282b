using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Placement;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>
/// A consumer group's coordinator. Key: <see cref="IGroupGrain.KeyOf"/>. A group speaks the classic protocol (<see cref="ClassicGroup"/>, the beginning) or the
/// consumer protocol (<see cref="ConsumerCoordinator"/>): classic -> consumer when a consumer member joins; consumer -> classic when all who are left speak
/// the classic one, or when a classic member joins an empty one. Persisted: the group at each new generation, assignment, epoch and replaced static
/// member, before anyone is told (not at heartbeats); positions by <see cref="GroupLedger"/>. Concurrency: reentrant; the machines are changed
/// between awaits only. A restart or move loses who was about to join; members keep their generation and assignment and get their whole session anew, so
/// it makes no rebalance. A save that fails ends the activation: whether it was written is not guessed but read by the next one.
/// </summary>
[Reentrant, CoordinatedByMap]
internal sealed class GroupGrain([PersistentState("group", "granary")] IPersistentState<GroupGrainState> state, GroupParts parts) : Grain, IGroupGrain
{
    private string _groupId = "";
    private ErrorCode _refusal;
    private GroupProtocols _speaks = null!;
    private GroupSaves _saves = null!;
    private GroupLedger _ledger = null!;
    private GroupAlarm _alarm = null!;
    private bool _deleting;
    private bool _ended;
    private (GroupState, string, GroupType) _noted;
    private GroupHappenings _happenings = null!;
    private GroupListing? _listing;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _groupId = IGroupGrain.IdOf(this.GetPrimaryKeyString());
        _refusal = GroupIds.Refuse(_groupId) is not null ? ErrorCode.InvalidGroupId : ErrorCode.None;
        _ledger = new GroupLedger(_groupId, parts);
        _happenings = new GroupHappenings(parts.Journal);
        _saves = new GroupSaves(state, () => _ended ? null : _speaks.Export(state.State, parts.Time.GetUtcNow()), EndBy);
        _alarm = new GroupAlarm(this, parts, RingAsync);
        _speaks = new GroupProtocols(_groupId, Classic(new ClassicGroup(parts.Options)));
        if (_refusal != ErrorCode.None)
            return;
        await _ledger.OpenAsync(cancellationToken);

        // Orleans ends in order only what has begun: of an activation that it gives up nothing may stay.
        cancellationToken.ThrowIfCancellationRequested();
        if (_ledger.Exists && state.State.Classic is { } kept)
            _speaks.Classic = Classic(ClassicGroup.Restore(parts.Options, kept, parts.Now));
        if (_ledger.Exists && state.State.Consumer is { } members)
            _speaks.Consumer = Consumer(members);
        _listing = _speaks.Listing;
        parts.Hosted.Add(_groupId, List);
        if (_ledger.Exists)
            _happenings.Opened(_speaks.Happening);
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
        // While something is waited for, the group may be deleted or come to speak the other protocol: then all is asked again.
        while (true)
        {
            var refusal = _groupId.Length == 0 ? ErrorCode.InvalidGroupId : RefuseJoin();
            if (refusal == ErrorCode.None && !_ledger.Exists)
                refusal = request.MemberId.Length == 0 ? await EnsureAsync() : ErrorCode.UnknownMemberId;
            if (refusal != ErrorCode.None)
                return JoinResult.Refuse(refusal, request.MemberId);
            if (!_ledger.Exists)
                continue;
            if (_speaks.Consumer is not { } consumer)
                return await _speaks.Classic.JoinAsync(request, NewMemberId(request));
            if (!consumer.IsEmpty)
                return await consumer.JoinAsync(request, NewMemberId(request));
            await BecomeClassicAsync();
        }
    }

    public async Task<SyncResult> SyncAsync(SyncRequest request)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return SyncResult.Refuse(refusal);
        return _speaks.Consumer?.Sync(request) ?? await _speaks.Classic.SyncAsync(request);
    }

    public Task<ErrorCode> HeartbeatAsync(GroupCaller caller)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return Task.FromResult(refusal);
        return _speaks.Consumer?.ClassicHeartbeatAsync(caller) ?? Task.FromResult(_speaks.Classic.Heartbeat(caller));
    }

    public async Task<ConsumerGroupHeartbeatReply> MemberHeartbeatAsync(ConsumerGroupHeartbeat beat)
    {
        var refusal = GroupIds.IsBlank(_groupId) ? ErrorCode.InvalidRequest : beat.MemberEpoch == ConsumerGroupHeartbeat.Join ? RefuseJoin() : Refuse();
        if (refusal != ErrorCode.None)
            return ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, refusal);
        if (_speaks.Consumer is null && await BecomeConsumerAsync(beat) is { } refused)
            return ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, refused.Error, refused.Message);
        refusal = _speaks.Consumer is null ? ErrorCode.CoordinatorLoadInProgress : Refuse();
        if (refusal != ErrorCode.None)
            return ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, refusal);
        var reply = await _speaks.Consumer!.HeartbeatAsync(beat);
        await SettleConsumerAsync();
        return reply;
    }

    public async Task<ImmutableArray<ErrorCode>> LeaveAsync(ImmutableArray<LeavingMember> members)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return All(refusal, members.Length);
        if (_speaks.Consumer is { } consumer)
        {
            var errors = ImmutableArray.CreateBuilder<ErrorCode>();
            foreach (var member in members)
                errors.Add(await consumer.LeaveAsync(member));
            await SettleConsumerAsync();
            return errors.ToImmutable();
        }

        return _speaks.Classic.Leave(members);
    }

    public async Task<ImmutableArray<ErrorCode>> CommitAsync(CommitRequest request)
    {
        var refusal = Refuse();
        if (refusal == ErrorCode.None)
            refusal = CheckCommit(request);
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

    public Task<CommittedOffsets> FetchOffsetsAsync(ImmutableArray<PartitionId> partitions, GroupCaller? caller = null)
    {
        var refusal = RefuseRead();
        if (refusal == ErrorCode.None && _ledger.IsResetting)
            refusal = ErrorCode.CoordinatorLoadInProgress;
        if (refusal == ErrorCode.None && _speaks.Consumer is { } consumer && caller is { } member)
            refusal = consumer.CheckFetch(member);
        return Task.FromResult(refusal != ErrorCode.None
            ? new CommittedOffsets(refusal, [])
            : new CommittedOffsets(ErrorCode.None, _ledger.Offsets.Find(partitions)));
    }

    public async Task<ImmutableArray<ErrorCode>> DeleteOffsetsAsync(ImmutableArray<PartitionId> partitions)
    {
        var refusal = Refuse();
        if (refusal == ErrorCode.None && !_ledger.Exists)
            refusal = ErrorCode.GroupIdNotFound;
        if (refusal == ErrorCode.None && _speaks.Consumer is null && _speaks.Classic.Group.Members.Count > 0 && _speaks.ProtocolType != ClassicSubscription.ProtocolType)
            refusal = ErrorCode.NonEmptyGroup;
        if (refusal != ErrorCode.None)
            return All(refusal, partitions.Length);
        var reads = _speaks.Readers();
        var answers = partitions.Select(partition => reads(parts.Topics.Find(partition.TopicId)?.Name) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None).ToArray();
        var written = await _ledger.WriteAsync([.. partitions.Where((_, index) => answers[index] == ErrorCode.None).Select(partition => new Storage.OffsetWrite(partition, null))]);
        EndIfLost();
        return [.. answers.Select(answer => answer == ErrorCode.None ? written : answer)];
    }

    public async Task<ResetResult> ResetAsync(OffsetReset reset)
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return ResetResult.Refuse(ResetRefusal.Other, refusal, "the group cannot be reset here");
        var result = await _ledger.ResetAsync(reset, isActive: _speaks.State != GroupState.Empty);
        EndIfLost();
        return result;
    }

    public async Task<GroupDescription> DescribeAsync(bool withLags)
    {
        if (RefuseRead() is var refusal and not ErrorCode.None)
            return GroupDescription.Missing with { Error = refusal };
        if (!_ledger.Exists)
            return GroupDescription.Missing;
        var described = _speaks.Describe();
        return withLags ? described with { Lags = await _ledger.MeasureAsync(GrainFactory) } : described;
    }

    public async Task<ErrorCode> DeleteAsync()
    {
        if (Refuse() is var refusal and not ErrorCode.None)
            return refusal;
        if (!_ledger.Exists)
            return ErrorCode.GroupIdNotFound;
        if (_speaks.State != GroupState.Empty)
            return ErrorCode.NonEmptyGroup;
        _deleting = true;
        try
        {
            await _saves.Idle;
            if (_speaks.State != GroupState.Empty)
                return ErrorCode.NonEmptyGroup;
            var error = _ended ? ErrorCode.NotCoordinator : await _ledger.DeleteAsync(GrainFactory);
            if (error == ErrorCode.None)
            {
                _speaks.Classic.End(ErrorCode.NotCoordinator);
                (_speaks.Classic, _speaks.Consumer, _noted) = (Classic(new ClassicGroup(parts.Options)), null, default);
                _listing = _speaks.Listing;
                await _saves.ClearAsync();

                // Who comes from here on finds a new activation; this one is of no more use to anybody.
                End();
                DeactivateOnIdle();
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
        var emptySince = _speaks.State != GroupState.Empty ? null : _speaks.Consumer is null ? state.State.Classic?.EmptySince : state.State.ConsumerEmptySince;
        await _ledger.ExpireAsync(_speaks.Readers(), emptySince);
        EndIfLost();
        if (_ledger.Offsets.Count == 0 && _ledger.Writing == 0 && _speaks.State == GroupState.Empty)
            await DeleteAsync();
    }

    public Task MoveAsync(SiloAddress from, SiloAddress to)
    {
        // A call that was sent while the grain moved already finds it where it belongs.
        return from.Equals(parts.LocalSilo) && !to.Equals(from) ? parts.Departures.SendAsync(this, to, End) : Task.CompletedTask;
    }

    private ErrorCode Refuse() => _refusal != ErrorCode.None ? _refusal : _ended || _deleting ? ErrorCode.NotCoordinator : ErrorCode.None;

    /// <summary>A member that came in while a reset is written could commit over it.</summary>
    private ErrorCode RefuseJoin() => Refuse() is var refusal and not ErrorCode.None ? refusal : _ledger.IsResetting ? ErrorCode.CoordinatorLoadInProgress : ErrorCode.None;

    /// <summary>
    /// What is about to be deleted can be read until it is: clients do not ask again for what they are refused here. A silo that may have been declared dead
    /// does not know what was written since elsewhere; its own writes would be fenced, but a reader would take the former position for the newest.
    /// </summary>
    private ErrorCode RefuseRead() => _refusal != ErrorCode.None ? _refusal : _ended || !parts.Lease.IsValid ? ErrorCode.NotCoordinator : ErrorCode.None;

    private async Task<ErrorCode> EnsureAsync()
    {
        var error = await _ledger.EnsureAsync();
        return error != ErrorCode.None ? error : Refuse();
    }

    private ErrorCode CheckCommit(CommitRequest request)
    {
        if (!_ledger.Exists && request.Caller.Generation >= 0)
            return request.KnowsMemberEpochs ? ErrorCode.GroupIdNotFound : ErrorCode.IllegalGeneration;
        return _speaks.Consumer?.CheckCommit(request) ?? _speaks.Classic.Group.CheckCommit(request.Caller, parts.Now);
    }

    private static string NewMemberId(JoinRequest request) => $"{request.InstanceId ?? request.ClientId}-{Guid.NewGuid()}";

    private ClassicCoordinator Classic(ClassicGroup group) => new(_groupId, group, parts, SaveAsync, Settle);

    private ConsumerCoordinator Consumer(ConsumerGroupState kept) => new(_groupId, parts, kept, GrainFactory, SaveAsync);

    /// <summary>For the first consumer member; a classic group stays as it is where that member would be refused. Classic members who wait are told to join again.</summary>
    private async Task<(ErrorCode Error, string? Message)?> BecomeConsumerAsync(ConsumerGroupHeartbeat beat)
    {
        if (ConsumerGroupHeartbeatCheck.Refuse(beat, parts.ConsumerOptions) is { } wrong)
            return wrong;
        if (beat.MemberEpoch != ConsumerGroupHeartbeat.Join)
            return (ErrorCode.GroupIdNotFound, _ledger.Exists ? $"Group {_groupId} is not a consumer group." : $"Group {_groupId} not found.");
        var refusal = await EnsureAsync();
        await _speaks.Classic.Saving;
        if (refusal == ErrorCode.None)
            refusal = _ledger.Exists ? RefuseJoin() : ErrorCode.CoordinatorLoadInProgress;
        if (refusal != ErrorCode.None)
            return (refusal, null);
        if (_speaks.Consumer is not null)
            return null;
        if (GroupConversion.ToConsumer(_speaks.Classic.Group, parts.ConsumerOptions, parts.TopicIds) is not { } members)
            return (ErrorCode.GroupIdNotFound, $"Group {_groupId} is not a consumer group, and cannot become one.");
        var converted = Consumer(members);
        if (converted.Group.Refuses(beat) is { } not)
            return not;
        _speaks.Classic.End(ErrorCode.RebalanceInProgress);
        (_speaks.Classic, _speaks.Consumer) = (Classic(new ClassicGroup(parts.Options)), converted);
        return null;
    }

    private async Task BecomeClassicAsync()
    {
        await _saves.Idle;

        // A consumer member may have joined while it was waited for.
        if (_speaks.Consumer is not { } consumer || _ended || !(consumer.IsEmpty || consumer.CanBeClassic))
            return;
        (_speaks.Consumer, _speaks.Classic) = (null, Classic(ClassicGroup.Restore(parts.Options, GroupConversion.ToClassic(consumer.Group, parts.TopicNames), parts.Now)));
        _speaks.Classic.TakeOver();
    }

    private async Task SettleConsumerAsync()
    {
        if (_speaks.Consumer is { CanBeClassic: true })
            await BecomeClassicAsync();
        else
            Settle();
    }

    private void Settle()
    {
        _listing = _speaks.Listing;
        _happenings.Changed(_speaks.Happening);
        Schedule();
    }

    private async Task<bool> SaveAsync()
    {
        if (!await _saves.SaveAsync())
            return false;
        var now = _speaks.Happening;
        parts.Diagnostics.Changed(_groupId, now.GroupState, now.Generation, now.Members);
        _ = NoteAsync();
        return !_ended;
    }

    private async Task NoteAsync()
    {
        var now = (_speaks.State, _speaks.ProtocolType, _speaks.Type);
        if (now == _noted || _speaks.State is not (GroupState.Stable or GroupState.Empty))
            return;
        _noted = now;
        await _ledger.NoteAsync(now.ProtocolType, now.State, now.Type);
        EndIfLost();
    }

    private void Schedule() => _alarm.Set(_ended ? TimeSpan.MaxValue : _speaks.NextTick);

    private async Task RingAsync()
    {
        if (_ended)
            return;
        if (_speaks.Consumer is { } consumer)
        {
            await consumer.TickAsync();
            await SettleConsumerAsync();
            return;
        }

        _speaks.Classic.Tick();
    }

    /// <summary>Whether it was written is not guessed: the next activation reads it.</summary>
    private void EndBy(Exception failure)
    {
        parts.Diagnostics.SaveFailed(failure, _groupId);
        End();
        DeactivateOnIdle();
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
        _speaks.Classic.End(ErrorCode.NotCoordinator);
    }

    /// <summary>For others' threads: the group as it last settled.</summary>
    private GroupListing? List() => _ledger.Exists ? _listing : null;

    private static ImmutableArray<ErrorCode> All(ErrorCode error, int count) => [.. Enumerable.Repeat(error, count)];
}

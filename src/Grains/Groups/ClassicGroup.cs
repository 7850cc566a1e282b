using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>
/// A group of the classic protocol, as Kafka's coordinator leads it (source: kafka.coordinator.group.GroupCoordinator, KIP-62, KIP-134, KIP-345,
/// KIP-394, KIP-814). Pure: <c>now</c> is a time that only grows, new member ids come in as arguments, and answers to joins and syncs
/// that waited come out of <see cref="TakeAnswers"/>. Who owns it must save <see cref="ToState"/> before it hands out answers that came with a
/// change (<see cref="TakeChanged"/>), so that no generation is told that could be told again with other members.
/// Transitions:
/// Empty → PreparingRebalance: a member joins.
/// PreparingRebalance → CompletingRebalance: all members have joined, or the rebalance timeout is over and those that have not are removed (static
/// members stay until their sessions end). The generation grows. Of an empty group the wait is the initial delay, longer while more come.
/// PreparingRebalance → Empty: all have left. The generation grows.
/// CompletingRebalance → Stable: the leader brings the assignments.
/// CompletingRebalance, Stable → PreparingRebalance: a member joins, joins with other metadata, leaves, dies or does not sync in time; the leader joins.
/// any → Dead: the group is deleted, or its owner hands it over (<see cref="End"/>).
/// </summary>
internal sealed class ClassicGroup(GroupOptions options)
{
    private readonly ClassicMembers _members = new();
    private readonly Dictionary<string, TimeSpan> _pending = [];
    private readonly ClassicAnswers _answers = new();
    private TimeSpan _joinDeadline = TimeSpan.MaxValue;
    private TimeSpan _syncDeadline = TimeSpan.MaxValue;
    private TimeSpan? _initialDelayLeft;
    private bool _moreCame;
    private bool _changed;

    public GroupState State { get; private set; } = GroupState.Empty;

    /// <summary>0: no member has ever been answered.</summary>
    public int Generation { get; private set; }

    /// <summary>The group epoch at which it came over from the consumer protocol: the next generation is above it.</summary>
    public int GroupEpoch { get; private set; }

    /// <summary>Empty: no member has ever been here.</summary>
    public string ProtocolType { get; private set; } = "";

    public string? ProtocolName { get; private set; }

    /// <summary>What the last rebalance began for, as a clause for people; not kept.</summary>
    public string Cause { get; private set; } = "";

    public ClassicMembers Members => _members;

    /// <summary>Ids that were given out and have not joined yet.</summary>
    public int Pending => _pending.Count;

    /// <summary>When <see cref="Tick"/> has something to do; <see cref="TimeSpan.MaxValue"/>: never.</summary>
    public TimeSpan NextDeadline
    {
        get
        {
            var next = _joinDeadline < _syncDeadline ? _joinDeadline : _syncDeadline;
            foreach (var member in _members.All)
                next = member.EffectiveDeadline < next ? member.EffectiveDeadline : next;
            foreach (var deadline in _pending.Values)
                next = deadline < next ? deadline : next;
            return next;
        }
    }

    /// <summary>Takes a kept group up again: all members are given their whole session anew.</summary>
    public static ClassicGroup Restore(GroupOptions options, ClassicGroupState state, TimeSpan now)
    {
        var group = new ClassicGroup(options)
        {
            State = state.State,
            Generation = state.Generation,
            GroupEpoch = state.GroupEpoch,
            ProtocolType = state.ProtocolType,
            ProtocolName = state.ProtocolName,
        };
        foreach (var kept in state.Members)
            group._members.Add(ClassicMember.Restore(kept, state.State == GroupState.CompletingRebalance, now));
        group._members.LeaderId = state.LeaderId;
        if (state.State == GroupState.PreparingRebalance)
            group._joinDeadline = now + group._members.LongestRebalanceTimeout;
        if (state.State == GroupState.CompletingRebalance)
            group._syncDeadline = now + group._members.LongestRebalanceTimeout;
        return group;
    }

    public ClassicGroupState ToState() => new()
    {
        State = State,
        Generation = Generation,
        GroupEpoch = GroupEpoch,
        ProtocolType = ProtocolType,
        ProtocolName = ProtocolName,
        LeaderId = _members.LeaderId,
        Members = [.. _members.All.Select(member => member.ToState())],
    };

    /// <summary>The answers that are ready now, in their order.</summary>
    public IReadOnlyList<ClassicAnswer> TakeAnswers() => _answers.Take();

    /// <summary>True, once: something is to be saved before answers are handed out.</summary>
    public bool TakeChanged()
    {
        var changed = _changed;
        _changed = false;
        return changed;
    }

    /// <param name="newMemberId">The id that the caller gets if it has none. Unique for ever.</param>
    public void Join(long ticket, JoinRequest request, string newMemberId, TimeSpan now)
    {
        if (ClassicJoinCheck.Refuse(this, _pending, request, options) is var refusal and not ErrorCode.None)
        {
            _answers.Add(ticket, JoinResult.Refuse(refusal, request.MemberId));
            return;
        }

        if (request.MemberId.Length == 0)
            JoinNew(ticket, request, newMemberId, now);
        else if (_pending.Remove(request.MemberId))
            AddAndRebalance(ticket, request, request.MemberId, now);
        else
            JoinAgain(ticket, request, now);
        CompleteJoinIfAllAreHere(now);
    }

    public void Sync(long ticket, SyncRequest request, TimeSpan now)
    {
        if (ClassicCallCheck.Sync(this, request, options) is var refusal and not ErrorCode.None)
        {
            _answers.Add(ticket, SyncResult.Refuse(refusal));
            return;
        }

        _members.TryGet(request.Caller.MemberId, out var member);
        AnswerSync(member!, ErrorCode.RebalanceInProgress);
        member!.OwesSync = false;
        member.SyncTicket = ticket;
        if (State == GroupState.Stable)
            AnswerSync(member, ErrorCode.None, now);
        else if (member.MemberId == _members.LeaderId)
            Assign(request.Assignments, now);
    }

    public ErrorCode Heartbeat(GroupCaller caller, TimeSpan now)
    {
        if (ClassicCallCheck.Caller(this, caller) is var refusal and not ErrorCode.None)
            return refusal;
        Touch(caller, now);
        return State == GroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }

    public ErrorCode Leave(LeavingMember leaving, TimeSpan now)
    {
        if (State == GroupState.Dead)
            return ErrorCode.NotCoordinator;
        var memberId = leaving.MemberId.Length == 0 && leaving.InstanceId is not null ? _members.IdOfInstance(leaving.InstanceId) ?? "" : leaving.MemberId;
        if (leaving.InstanceId is null && _pending.Remove(memberId))
        {
            CompleteJoinIfAllAreHere(now);
            return ErrorCode.None;
        }

        if (_members.Check(memberId, leaving.InstanceId) is var refusal and not ErrorCode.None)
            return refusal;
        _members.TryGet(memberId, out var member);
        Remove(member!, $"{member!.MemberId} left", now);
        return ErrorCode.None;
    }

    /// <summary>Whether that caller may commit positions now; a member that does is alive.</summary>
    public ErrorCode CheckCommit(GroupCaller caller, TimeSpan now)
    {
        var refusal = ClassicCallCheck.Commit(this, caller);
        if (refusal == ErrorCode.None)
            Touch(caller, now);
        return refusal;
    }

    /// <summary>Does what the time asks for: members that are gone, waits that are over.</summary>
    public void Tick(TimeSpan now)
    {
        foreach (var (memberId, _) in _pending.Where(pending => pending.Value <= now).ToArray())
            _pending.Remove(memberId);
        foreach (var member in _members.All.Where(member => member.EffectiveDeadline <= now).ToArray())
            Remove(member, $"nothing was heard of {member.MemberId} for {member.SessionTimeout.TotalSeconds:0.#} s", now);
        CompleteJoinIfAllAreHere(now);
        if (_joinDeadline <= now)
            EndJoin(now);
        if (_syncDeadline > now)
            return;
        _syncDeadline = TimeSpan.MaxValue;
        foreach (var silent in _members.All.Where(member => member.OwesSync).ToArray())
            Remove(silent, $"{silent.MemberId} did not fetch its assignment in time", now);
    }

    /// <summary>The group is over here: whoever waits is told so.</summary>
    public void End(ErrorCode answer)
    {
        foreach (var member in _members.All)
        {
            AnswerJoin(member, answer);
            AnswerSync(member, answer);
        }

        _joinDeadline = _syncDeadline = TimeSpan.MaxValue;
        State = GroupState.Dead;
    }

    private void JoinNew(long ticket, JoinRequest request, string newMemberId, TimeSpan now)
    {
        if (request.InstanceId is { } instance)
        {
            if (_members.IdOfInstance(instance) is { } former && _members.TryGet(former, out var member))
                Replace(ticket, request, member, newMemberId, now);
            else
                AddAndRebalance(ticket, request, newMemberId, now);
        }
        else if (request.RequiresKnownId)
        {
            _pending[newMemberId] = now + request.SessionTimeout;
            _answers.Add(ticket, JoinResult.Refuse(ErrorCode.MemberIdRequired, newMemberId));
        }
        else
        {
            AddAndRebalance(ticket, request, newMemberId, now);
        }
    }

    private void AddAndRebalance(long ticket, JoinRequest request, string memberId, TimeSpan now)
    {
        ProtocolType = request.ProtocolType;
        var member = new ClassicMember(memberId, request.InstanceId) { IsNew = true, Deadline = now + options.NewMemberJoinTimeout };
        _members.Add(member);
        _moreCame = true;
        Update(ticket, request, member);
        PrepareIfResting($"{memberId} joined", now);
    }

    private void JoinAgain(long ticket, JoinRequest request, TimeSpan now)
    {
        _members.TryGet(request.MemberId, out var member);
        var isAsBefore = member!.Offers(request.Protocols);
        var asked = State switch
        {
            // The answer to its join may have been lost; it hears it again.
            GroupState.CompletingRebalance => isAsBefore,
            GroupState.Stable => isAsBefore && member.MemberId != _members.LeaderId,
            _ => false,
        };
        Update(ticket, request, member);
        if (!asked)
            PrepareIfResting(isAsBefore ? $"{member.MemberId} asked for it" : $"{member.MemberId} wants something else than before", now);
        else
            AnswerJoin(member, ErrorCode.None, now);
    }

    /// <summary>A static member has come back without its id: it takes its own place again, and whoever still uses the old id is fenced.</summary>
    private void Replace(long ticket, JoinRequest request, ClassicMember member, string newMemberId, TimeSpan now)
    {
        AnswerJoin(member, ErrorCode.FencedInstanceId);
        AnswerSync(member, ErrorCode.FencedInstanceId);
        var formerLeader = _members.LeaderId ?? "";
        var former = member.MetadataFor(ProtocolName);
        _members.Rename(member, newMemberId);
        Update(ticket, request, member);
        _changed = true;
        if (State != GroupState.Stable || _members.Choose() != ProtocolName || !GoesOn(former, member))
        {
            PrepareIfResting($"the static member {request.InstanceId} came back with another subscription, or owed the others a rebalance", now);
            return;
        }

        // No rebalance. A leader that may not skip its assignment is told of its former id, so that it takes itself for a follower.
        member.JoinTicket = null;
        member.Deadline = now + member.SessionTimeout;
        _answers.Return(this, ticket, newMemberId, formerLeader, request.CanSkipAssignment);
    }

    private bool GoesOn(ReadOnlyMemory<byte> former, ClassicMember member) => ProtocolType != ClassicSubscription.ProtocolType
        || (ClassicSubscription.AreOfTheSameTopics(former.Span, member.MetadataFor(ProtocolName).Span) && !ClassicSubscription.IsTakenFrom(former.Span, member.Assignment.Span));

    private void Update(long ticket, JoinRequest request, ClassicMember member)
    {
        // A client that asks again no longer reads the answer to its first call; a gateway between them does.
        AnswerJoin(member, ErrorCode.RebalanceInProgress);
        member.ClientId = request.ClientId;
        member.ClientHost = request.ClientHost;
        member.SessionTimeout = request.SessionTimeout;
        member.RebalanceTimeout = request.RebalanceTimeout < TimeSpan.Zero ? TimeSpan.Zero
            : request.RebalanceTimeout > options.MaxRebalanceTimeout ? options.MaxRebalanceTimeout : request.RebalanceTimeout;
        _members.Offer(member, request.Protocols);
        member.JoinTicket = ticket;
    }

    private void PrepareIfResting(string cause, TimeSpan now)
    {
        if (State is not (GroupState.Empty or GroupState.CompletingRebalance or GroupState.Stable))
            return;
        foreach (var member in _members.All)
        {
            AnswerSync(member, ErrorCode.RebalanceInProgress, now);
            member.OwesSync = false;
        }

        _syncDeadline = TimeSpan.MaxValue;
        _initialDelayLeft = null;
        _joinDeadline = now + _members.LongestRebalanceTimeout;
        if (State == GroupState.Empty && options.InitialRebalanceDelay > TimeSpan.Zero)
        {
            _initialDelayLeft = _members.LongestRebalanceTimeout - options.InitialRebalanceDelay;
            _joinDeadline = now + options.InitialRebalanceDelay;
            _moreCame = false;
        }

        (State, Cause) = (GroupState.PreparingRebalance, cause);
    }

    private void CompleteJoinIfAllAreHere(TimeSpan now)
    {
        if (State == GroupState.PreparingRebalance && _initialDelayLeft is null && _pending.Count == 0
            && _members.All.All(member => member.JoinTicket is not null))
            BeginGeneration(now);
    }

    private void EndJoin(TimeSpan now)
    {
        if (_initialDelayLeft is { } left && left > TimeSpan.Zero && _moreCame)
        {
            var delay = left < options.InitialRebalanceDelay ? left : options.InitialRebalanceDelay;
            _initialDelayLeft = left - delay;
            _joinDeadline = now + delay;
            _moreCame = false;
            return;
        }

        BeginGeneration(now);
    }

    private void BeginGeneration(TimeSpan now)
    {
        _initialDelayLeft = null;
        _joinDeadline = TimeSpan.MaxValue;
        foreach (var late in _members.All.Where(member => member.JoinTicket is null && !member.IsStatic).ToArray())
            _members.Remove(late);
        if (_members.Count > 0 && !_members.ElectJoined())
        {
            // Only static members that may be restarting: their sessions decide, or one of them comes back.
            _joinDeadline = now + _members.RebalanceWait;
            return;
        }

        Generation = Math.Max(Generation, GroupEpoch) + 1;
        _changed = true;
        if (_members.Count == 0)
        {
            (ProtocolName, State) = (null, GroupState.Empty);
            return;
        }

        ProtocolName = _members.Choose();
        State = GroupState.CompletingRebalance;
        _syncDeadline = now + _members.RebalanceWait;
        foreach (var member in _members.All)
        {
            member.OwesSync = true;
            AnswerJoin(member, ErrorCode.None, now);
        }
    }

    private void Assign(ImmutableArray<MemberAssignment> assignments, TimeSpan now)
    {
        // Until here each has what it had: the other protocol may take the group over meanwhile, and must know.
        _members.Give(assignments);
        State = GroupState.Stable;
        _changed = true;
        foreach (var member in _members.All)
            AnswerSync(member, ErrorCode.None, now);
    }

    private void Remove(ClassicMember member, string cause, TimeSpan now)
    {
        AnswerJoin(member, ErrorCode.UnknownMemberId);
        AnswerSync(member, ErrorCode.UnknownMemberId);
        _members.Remove(member);
        PrepareIfResting(cause, now);
        CompleteJoinIfAllAreHere(now);
    }

    private void Touch(GroupCaller caller, TimeSpan now)
    {
        if (_members.TryGet(caller.MemberId, out var member))
            member.Deadline = now + member.SessionTimeout;
    }

    private void AnswerJoin(ClassicMember member, ErrorCode error, TimeSpan? now = null) => _answers.Join(this, member, error, now);

    private void AnswerSync(ClassicMember member, ErrorCode error, TimeSpan? now = null) => _answers.Sync(this, member, error, now);
}

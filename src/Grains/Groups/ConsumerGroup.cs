using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>What a step of the group came to.</summary>
/// <param name="Reply">To the member whose heartbeat it was; only to be sent once the state is saved, where it changed.</param>
/// <param name="Changed">The state is another one: save it.</param>
/// <param name="Nudged">Members whose grain must ask the group with their next heartbeat. One that is lost costs time only.</param>
/// <param name="Overdue">Members of which the group has not heard for as long as a session: ask their grains, and say what they said by <see cref="ConsumerGroup.Heard"/>.</param>
internal sealed record ConsumerGroupStep(ConsumerGroupHeartbeatReply? Reply, bool Changed, ImmutableArray<string> Nudged, ImmutableArray<string> Overdue);

/// <summary>
/// A group of the consumer protocol (KIP-848; Kafka's ConsumerGroup and GroupMetadataManager), the group's side: members come here to
/// join, leave, change their subscription and reconcile; in between their own grain answers them (<see cref="GroupMemberState"/>).
/// Legal transitions, of the group: Empty -> (a join) Assigning, at the next group epoch -> (the target is made) Reconciling, the assignment epoch being
/// the group epoch -> (every member has its target) Stable; any -> (join, leave, time-out, another subscription or assignor, subscribed topics
/// changed) Assigning, at the next group epoch; any -> (the last member is gone) Empty. Of a member: none -> (epoch 0) joined -> (see <see cref="ConsumerGroupReconciliation"/>)
/// -> (epoch -1, session or rebalance timeout) none; a static one -> (epoch -2) away, keeping its partitions -> (epoch 0 under the same instance id) joined,
/// or -> (session timeout) none. Group epoch, assignment epoch and the epochs of a member (away excepted) never go back.
/// Times are ms of one clock; the constructor begins every session anew.
/// </summary>
internal sealed class ConsumerGroup
{
    private readonly ConsumerGroupOptions _options;
    private readonly ConsumerGroupRoster _roster = new();
    private readonly ConsumerGroupSubscriptions _subscriptions;
    private readonly ConsumerGroupDeadlines _deadlines;
    private List<ConsumerGroupTopic> _assignedTopics;
    private string _assignor;
    private long _topicBytes;
    private readonly ConsumerGroupSettlement _settlement;
    private ((long Roster, long Topics) At, bool Holds) _settled = ((-1, -1), false);
    private long _assignedAt;
    private bool _isDirty;

    public ConsumerGroup(ConsumerGroupState state, IEnumerable<ConsumerGroupTopic> topics, ConsumerGroupOptions options, long now)
    {
        (_options, _settlement) = (options, new ConsumerGroupSettlement(IsSettled));
        _subscriptions = new ConsumerGroupSubscriptions(options);
        _deadlines = new ConsumerGroupDeadlines(options);
        _subscriptions.ChangeTopics(topics);
        _topicBytes = Groups.KeptBytes.Of(state.Topics);
        (GroupEpoch, AssignmentEpoch, _assignor, _assignedTopics) = (state.GroupEpoch, state.AssignmentEpoch, state.Assignor, [.. state.Topics]);
        _assignedAt = now - (long)options.AssignmentInterval.TotalMilliseconds;
        foreach (var target in state.Targets)
            _roster.SetTarget(target.MemberId, target.Partitions);
        foreach (var member in state.Members)
        {
            _roster.Put(member);
            _deadlines.Renew(member, now);
            _deadlines.Follow(null, member, now);
        }

        // Nudges that the last coordinator had in hand are lost with it.
        foreach (var member in state.Members.Where(member => !IsSettled(member)))
            _roster.Disturb(member.MemberId);
        _roster.TakeChanged();
        BumpIfTopicsChanged();
    }

    public int GroupEpoch { get; private set; }

    public int AssignmentEpoch { get; private set; }

    /// <summary>The assignor of the last target; empty before the first.</summary>
    public string AssignorName => _assignor;

    public IReadOnlyCollection<ConsumerGroupMember> Members => _roster.Members;

    /// <summary>
    /// As ConsumerGroupDescribe names it. A member that has its target but not yet the newest epoch does not count as reconciling: it learns of
    /// the epoch in its own time, and nothing waits for that.
    /// </summary>
    public string State
    {
        get
        {
            if (_roster.Count == 0)
                return "Empty";
            if (GroupEpoch > AssignmentEpoch)
                return "Assigning";

            // Asked for with every heartbeat, it must not walk all members each time.
            if (_settled.At != (_roster.Version, _subscriptions.Version))
                _settled = ((_roster.Version, _subscriptions.Version), _settlement.HoldsOf(_roster.Members, _roster.TargetOf, _subscriptions.Version));
            return _settled.Holds ? "Stable" : "Reconciling";
        }
    }

    /// <summary>When <see cref="Tick"/> has something to do; <see cref="long.MaxValue"/>: never.</summary>
    public long NextTick => GroupEpoch > AssignmentEpoch ? Math.Min(_deadlines.Next, _assignedAt + (long)_options.AssignmentInterval.TotalMilliseconds) : _deadlines.Next;

    /// <summary>Is a member subscribed to that topic, by its name or by a regular expression?</summary>
    public bool Reads(Guid topicId) => _roster.Members.Any(member => _subscriptions.Resolve(member).Contains(topicId));

    /// <summary>In how many bytes the group is kept, about.</summary>
    public long KeptBytes => _roster.KeptBytes + _topicBytes;

    public ImmutableArray<PartitionId> TargetOf(string memberId) => _roster.TargetOf(memberId);

    public ConsumerGroupState Export() => new()
    {
        GroupEpoch = GroupEpoch,
        AssignmentEpoch = AssignmentEpoch,
        Assignor = _assignor,
        Members = [.. _roster.Members],
        Targets = [.. _roster.Members.Select(member => new ConsumerGroupTarget(member.MemberId, _roster.TargetOf(member.MemberId)))],
        Topics = [.. _assignedTopics],
    };

    public ConsumerGroupStep Heartbeat(ConsumerGroupHeartbeat beat, long now)
    {
        if (Check(beat, out var known, out var told) is { } wrong)
            return new ConsumerGroupStep(ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, wrong.Error, wrong.Message), Changed: false, [], []);
        return beat.MemberEpoch < ConsumerGroupHeartbeat.Join ? Leave(beat, known!, now) : Reconcile(beat, known, told!, now);
    }

    /// <summary>Why a heartbeat would be refused; null: it would not be.</summary>
    public (ErrorCode Error, string Message)? Refuses(ConsumerGroupHeartbeat beat) => Check(beat, out _, out _);

    /// <summary>The topics there are changed: some may be new, gone, or have more partitions.</summary>
    public ConsumerGroupStep ChangeTopics(IEnumerable<ConsumerGroupTopic> topics, long now)
    {
        _subscriptions.ChangeTopics(topics);
        BumpIfTopicsChanged();
        AssignIfDue(now);
        return Done(null, null, []);
    }

    /// <summary>What a member's grain said when it was asked, being overdue.</summary>
    /// <param name="silence">For how long it has not heard of the member; null: the grain cannot be reached, or does not answer.</param>
    public ConsumerGroupStep Heard(string memberId, TimeSpan? silence, long now)
    {
        if (!_roster.TryFind(memberId, out var member))
            return Done(null, null, []);
        if (silence is { } time)
            _deadlines.Renew(member, now, time);
        if (_deadlines.IsSilent(memberId, now))
            Remove(member);
        _deadlines.Recount();
        AssignIfDue(now);
        return Done(null, null, []);
    }

    /// <summary>Removes members that took too long to give partitions back or to do as they were told, makes a target assignment that is due, and says who is overdue.</summary>
    public ConsumerGroupStep Tick(long now)
    {
        foreach (var memberId in _deadlines.Late(now).ToArray())
        {
            if (_roster.TryFind(memberId, out var late))
                Remove(late);
        }

        // A static member that is away beats for nobody, and one of the classic protocol to the group itself: their grains have nothing to tell.
        foreach (var memberId in _deadlines.Silent(now).ToArray())
        {
            if (_roster.TryFind(memberId, out var gone) && (gone.IsAway || gone.Classic is not null))
                Remove(gone);
        }

        AssignIfDue(now);
        _deadlines.Recount();
        return Done(null, null, [.. _deadlines.Silent(now).Order(StringComparer.Ordinal)]);
    }

    /// <summary>May that member commit offsets at that epoch? (Kafka's ConsumerGroup.validateOffsetCommit.)</summary>
    /// <param name="memberEpoch">Less than 0, with no member id: nobody in particular, who may while the group is empty.</param>
    /// <param name="knowsMemberEpochs">False: what it names can be a generation only, so that it must speak the classic protocol.</param>
    public ErrorCode CheckCommit(string memberId, int memberEpoch, bool knowsMemberEpochs = true)
    {
        if (memberEpoch < 0 && _roster.Count == 0)
            return ErrorCode.None;
        if (_roster.TryFind(memberId, out var member) && member.Classic is null && !knowsMemberEpochs)
            return ErrorCode.UnsupportedVersion;
        return CheckFetch(memberId, memberEpoch);
    }

    /// <summary>May that member fetch offsets at that epoch? Who names no member is not asked about (Kafka's ConsumerGroup.validateOffsetFetch).</summary>
    public ErrorCode CheckFetch(string memberId, int memberEpoch)
    {
        if (!_roster.TryFind(memberId, out var member))
            return ErrorCode.UnknownMemberId;
        if (member.MemberEpoch == memberEpoch)
            return ErrorCode.None;
        return member.Classic is null ? ErrorCode.StaleMemberEpoch : ErrorCode.IllegalGeneration;
    }

    /// <summary>A heartbeat of a member that speaks the classic protocol: it is told to join again when there is something for it to do, and must then do so.</summary>
    public ConsumerGroupStep ClassicHeartbeat(GroupCaller caller, long now)
    {
        AssignIfDue(now);
        var error = _roster.FindClassic(caller, out var member);
        if (error == ErrorCode.None)
        {
            _deadlines.Renew(member!, now);
            if (member!.State == ConsumerGroupMemberState.UnrevokedPartitions || !Step(member, null, false).Assigned.SequenceEqual(member.Assigned))
            {
                error = ErrorCode.RebalanceInProgress;
                _deadlines.AwaitJoin(member, now);
            }
            else
            {
                _deadlines.EndAwaitJoin(member.MemberId);
            }
        }

        return Done(new ConsumerGroupHeartbeatReply(error, null, caller.MemberId, 0, TimeSpan.Zero, null, null), caller.MemberId, []);
    }

    /// <summary>Who calls by the classic protocol, and may.</summary>
    public ErrorCode FindClassic(GroupCaller caller, out ConsumerGroupMember? member) => _roster.FindClassic(caller, out member);

    /// <summary>A member of the classic protocol has fetched what it was assigned.</summary>
    public void Synced(string memberId) => _deadlines.EndAwait(memberId);

    /// <param name="told">The member as it is with what the heartbeat says; null where it leaves.</param>
    private (ErrorCode Error, string Message)? Check(ConsumerGroupHeartbeat beat, out ConsumerGroupMember? known, out ConsumerGroupMember? told)
    {
        (known, told) = (null, null);
        if (ConsumerGroupHeartbeatCheck.Refuse(beat, _options) is { } wrong)
            return wrong;
        if (beat.SubscribedRegex is not null && _subscriptions.Check(beat.SubscribedRegex) is { } wrongRegex)
            return (ErrorCode.InvalidRegularExpression, wrongRegex);
        if (Identify(beat, out known) is { } unidentified)
            return unidentified;
        if (beat.MemberEpoch < ConsumerGroupHeartbeat.Join)
            return null;
        told = ConsumerGroupMembership.Update(known ?? new ConsumerGroupMember { MemberId = beat.MemberId, InstanceId = beat.InstanceId }, beat);
        return WithoutRoom(known, told) is { } full ? (ErrorCode.GroupMaxSizeReached, full) : null;
    }

    /// <summary>Finds whose heartbeat it is, and refuses it where it is nobody's, or of a member that others have taken the place of.</summary>
    private (ErrorCode Error, string Message)? Identify(ConsumerGroupHeartbeat beat, out ConsumerGroupMember? known)
    {
        var isJoin = beat.MemberEpoch == ConsumerGroupHeartbeat.Join;
        _roster.TryFind(beat.MemberId, out known);
        if (beat.InstanceId is not null)
        {
            if (known is not null && known.InstanceId != beat.InstanceId)
                return (ErrorCode.InvalidRequest, $"Member {beat.MemberId} is not the static member {beat.InstanceId}.");
            known = _roster.FindInstance(beat.InstanceId);
            if (known is not null && known.MemberId != beat.MemberId)
            {
                if (!isJoin)
                    return (ErrorCode.FencedInstanceId, $"Instance id {beat.InstanceId} is member {known.MemberId}'s now, not {beat.MemberId}'s.");
                if (!known.IsAway && known.Classic is null && beat.Classic is null)
                    return (ErrorCode.UnreleasedInstanceId, $"Instance id {beat.InstanceId} still belongs to member {known.MemberId}.");
            }
        }

        if (known is not null)
            return beat.MemberEpoch > ConsumerGroupHeartbeat.Join ? CheckEpoch(beat, known) : null;
        if (!isJoin)
            return (ErrorCode.UnknownMemberId, $"There is no member {beat.MemberId} in the group.");
        return _roster.Count >= _options.MaxMembers
            ? (ErrorCode.GroupMaxSizeReached, $"The group has {_roster.Count} members, {_options.MaxMembers} is the most (MaxMembers).")
            : null;
    }

    private static (ErrorCode Error, string Message)? CheckEpoch(ConsumerGroupHeartbeat beat, ConsumerGroupMember member)
    {
        if (beat.MemberEpoch == member.MemberEpoch)
            return null;

        // The answer with the new epoch may have been lost on its way; then it owns no more than is its own. (Kafka counts
        // only what it may keep, and so fences a member twice unlucky.)
        if (beat.MemberEpoch < member.MemberEpoch
            && beat.MemberEpoch == member.PreviousMemberEpoch
            && beat.OwnedPartitions is { } owned
            && !owned.Except(member.Owned).Any())
            return null;
        return (ErrorCode.FencedMemberEpoch, $"Member {member.MemberId} is at epoch {member.MemberEpoch}, not {beat.MemberEpoch}: it must give up its partitions and join again.");
    }

    private ConsumerGroupStep Leave(ConsumerGroupHeartbeat beat, ConsumerGroupMember member, long now)
    {
        if (beat.MemberEpoch == ConsumerGroupHeartbeat.LeaveForAWhile)
        {
            // It keeps what it was assigned. What it was giving back it no longer uses, being gone.
            var away = member with { MemberEpoch = ConsumerGroupHeartbeat.LeaveForAWhile, State = ConsumerGroupMemberState.Stable, Revoking = [] };
            _roster.Put(away);
            _deadlines.Renew(away, now);
            _deadlines.Follow(member, away, now);
        }
        else
        {
            Remove(member);
        }

        AssignIfDue(now);
        return Done(new ConsumerGroupHeartbeatReply(ErrorCode.None, null, beat.MemberId, beat.MemberEpoch, TimeSpan.Zero, null, null), beat.MemberId, []);
    }

    /// <summary>Why there is no room for what a member says of itself; null where there is. Who says no more than before always has it.</summary>
    private string? WithoutRoom(ConsumerGroupMember? known, ConsumerGroupMember told)
    {
        if (ReferenceEquals(known, told))
            return null;
        var more = Groups.KeptBytes.Of(told) - (known is null ? 0 : Groups.KeptBytes.Of(known));
        var bytes = KeptBytes + more;
        return more > 0 && bytes > _options.MaxGroupBytes ? $"The group would be kept in {bytes} bytes, {_options.MaxGroupBytes} is the most (MaxGroupBytes)." : null;
    }

    private ConsumerGroupStep Reconcile(ConsumerGroupHeartbeat beat, ConsumerGroupMember? known, ConsumerGroupMember told, long now)
    {
        if (known is not null && known.MemberId != beat.MemberId)
        {
            // Another process took the static member's place; it starts at epoch 0 with what the member had.
            told = told with { MemberId = beat.MemberId, MemberEpoch = 0, PreviousMemberEpoch = 0 };
            _deadlines.Forget(known.MemberId);
            _roster.Replace(known, told);
        }

        else if (told.IsAway)
        {
            told = told with { MemberEpoch = 0, PreviousMemberEpoch = 0 };
        }

        _roster.Put(told);
        _deadlines.Renew(told, now);
        if (known is null || !ConsumerGroupMembership.SameSubscription(known, told) || (known.ServerAssignor != told.ServerAssignor && ConsumerGroupAssignors.PreferredBy(_roster.Members) != _assignor))
            Bump();
        AssignIfDue(now);
        var after = Step(told, beat.OwnedPartitions, joins: beat.MemberEpoch == ConsumerGroupHeartbeat.Join || beat.Classic is not null);
        if (after.MemberEpoch != told.MemberEpoch)
            after = after with { PreviousMemberEpoch = beat.MemberEpoch };
        _roster.Put(after);
        _deadlines.Follow(told, after, now);
        _deadlines.EndAwait(after.MemberId);
        if (after.Classic is not null)
            _deadlines.AwaitSync(after, now);

        // Also who says that it uses less, or may have been misled: what it uses it may have been told by a coordinator that should have ended.
        var isTold = beat.MayBeMisled || beat.MemberEpoch != told.MemberEpoch || beat.MemberEpoch == ConsumerGroupHeartbeat.Join || beat.IsFull || !after.Assigned.SequenceEqual(told.Assigned)
            || (beat.OwnedPartitions is { } owned && after.Assigned.Except(owned).Any());
        var reply = new ConsumerGroupHeartbeatReply(ErrorCode.None, null, after.MemberId, after.MemberEpoch, IntervalFor(after), isTold ? after.Assigned : null, after);
        return Done(reply, after.MemberId, []);
    }

    private ConsumerGroupMember Step(ConsumerGroupMember member, ImmutableArray<PartitionId>? owned, bool joins) =>
        ConsumerGroupReconciliation.Step(member, WantedBy(member), owned, joins, AssignmentEpoch, _roster.IsFree);

    private HashSet<PartitionId> WantedBy(ConsumerGroupMember member) =>
        _subscriptions.Among(member, _roster.TargetOf(member.MemberId));

    // One that waited for what it no longer shall have waits for nothing, though it may not have heard so; a classic member is not called together for it.
    private bool IsSettled(ConsumerGroupMember member) => member.State != ConsumerGroupMemberState.UnrevokedPartitions && WantedBy(member).SetEquals(member.Assigned);

    private TimeSpan IntervalFor(ConsumerGroupMember member) =>
        member.State == ConsumerGroupMemberState.Stable && GroupEpoch == AssignmentEpoch ? _options.HeartbeatInterval : _options.ReconcilingHeartbeatInterval;

    private void Remove(ConsumerGroupMember member)
    {
        _roster.Remove(member);
        _deadlines.Forget(member.MemberId);
        Bump();
    }

    private void Bump()
    {
        GroupEpoch++;
        _isDirty = true;
    }

    private void BumpIfTopicsChanged()
    {
        // Where a target is still to be made, it will be made of what there is then.
        if (GroupEpoch == AssignmentEpoch && _roster.Count > 0 && !_subscriptions.SubscribedBy(_roster.Members).SequenceEqual(_assignedTopics))
            Bump();
    }

    private void AssignIfDue(long now)
    {
        if (GroupEpoch == AssignmentEpoch)
            return;

        // Before the first target there is no epoch that a member could be at. A clock that was set back holds nothing up.
        var waited = now - _assignedAt;
        if (AssignmentEpoch > 0 && waited >= 0 && waited < (long)_options.AssignmentInterval.TotalMilliseconds && _roster.Count > 0)
            return;
        _assignedTopics = _subscriptions.SubscribedBy(_roster.Members);
        _topicBytes = Groups.KeptBytes.Of(_assignedTopics);
        _assignor = ConsumerGroupAssignors.PreferredBy(_roster.Members);
        var members = _roster.Members
            .Select(member => new AssignorMember(member.MemberId, member.InstanceId, _subscriptions.Resolve(member), _roster.TargetOf(member.MemberId)))
            .ToArray();
        _roster.SetTargets(ConsumerGroupAssignors.Find(_assignor)(members, _assignedTopics.ToDictionary(topic => topic.TopicId, topic => topic.PartitionCount)));
        (AssignmentEpoch, _assignedAt) = (GroupEpoch, now);
    }

    private ConsumerGroupStep Done(ConsumerGroupHeartbeatReply? reply, string? answered, ImmutableArray<string> overdue)
    {
        var changed = _roster.TakeChanged() | _isDirty;
        _isDirty = false;
        return new ConsumerGroupStep(reply, changed, _roster.TakeRestless(answered), overdue);
    }
}

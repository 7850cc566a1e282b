using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>
/// The part of a group's grain that speaks the consumer protocol: asks the machine, has what changed saved, and only then lets replies go and members be
/// nudged. Runs on its grain's thread. Members who speak the classic protocol are among the others (online migration).
/// </summary>
/// <param name="kept">What was saved last.</param>
/// <param name="save">Saves the group; returns when it is durable, false where the activation has ended instead.</param>
internal sealed class ConsumerCoordinator(string groupId, GroupParts parts, ConsumerGroupState kept, IGrainFactory grains, Func<Task<bool>> save)
{
    private static readonly TimeSpan s_askPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_topicsPoll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_shortestSleep = TimeSpan.FromMilliseconds(50);

    private readonly ConsumerGroup _group = new(kept, TopicsOf(parts), parts.ConsumerOptions, parts.NowMs);
    private readonly HashSet<string> _asking = new(StringComparer.Ordinal);
    private string _cause = "";
    private long _topicsVersion = parts.Topics.Version;

    public ConsumerGroup Group => _group;

    /// <summary>How the group stands, and why there was a rebalance last, for people.</summary>
    public ClusterHappening Happening => new()
    {
        Kind = HappeningKind.GroupChanged,
        Group = groupId,
        GroupState = State,
        Generation = _group.GroupEpoch,
        Members = _group.Members.Count,
        Cause = _cause,
    };

    /// <summary>Only members of the classic protocol are left, and the group may go back to it.</summary>
    public bool CanBeClassic => ConsumerGroupMigration.CanDowngrade(_group.Members, parts.ConsumerOptions, parts.Options.MaxMembers);

    public bool IsEmpty => _group.Members.Count == 0;

    /// <summary>When <see cref="TickAsync"/> has something to do; with members also now and then, to see whether topics have changed.</summary>
    public TimeSpan NextTick
    {
        get
        {
            if (IsEmpty)
                return TimeSpan.MaxValue;
            var next = _group.NextTick;
            var (soonest, latest) = (parts.Now + s_shortestSleep, parts.Now + s_topicsPoll);
            if (next == long.MaxValue || TimeSpan.FromMilliseconds(next) > latest)
                return latest;

            // Members that are overdue stay so until their grains have answered; to look again at once would leave the grain no time for that.
            return TimeSpan.FromMilliseconds(next) < soonest ? soonest : TimeSpan.FromMilliseconds(next);
        }
    }

    public GroupState State => Enum.Parse<GroupState>(_group.State);

    public async Task<ConsumerGroupHeartbeatReply> HeartbeatAsync(ConsumerGroupHeartbeat beat)
    {
        await FollowTopicsAsync();
        var cause = beat.MemberEpoch switch
        {
            ConsumerGroupHeartbeat.Join => $"{beat.MemberId} joined",
            < ConsumerGroupHeartbeat.Join => $"{beat.MemberId} left",
            _ => $"{beat.MemberId} reads other topics",
        };
        return (await FinishAsync(Because(cause, () => _group.Heartbeat(beat, parts.NowMs))))!;
    }

    public async Task TickAsync()
    {
        await FollowTopicsAsync();
        await FinishAsync(Because("a member took too long to give partitions back", () => _group.Tick(parts.NowMs)));
    }

    public async Task<JoinResult> JoinAsync(JoinRequest request, string newMemberId)
    {
        if (ClassicJoinCheck.RefuseSize(request, parts.Options) is var wrong and not ErrorCode.None)
            return JoinResult.Refuse(wrong, request.MemberId);
        if (ConsumerGroupMigration.RefuseClassic(_group.Members, request) is var refusal and not ErrorCode.None)
            return JoinResult.Refuse(refusal, request.MemberId);
        var memberId = request.MemberId;
        if (memberId.Length == 0)
        {
            if (request.RequiresKnownId && request.InstanceId is null)
                return JoinResult.Refuse(ErrorCode.MemberIdRequired, newMemberId);
            memberId = newMemberId;
        }

        if (ConsumerGroupMigration.ToHeartbeat(ConsumerGroupClassicSeat.Of(request, memberId), parts.TopicIds) is not { } beat)
            return JoinResult.Refuse(ErrorCode.InconsistentGroupProtocol, memberId);
        var reply = await HeartbeatAsync(beat);
        return reply.Error != ErrorCode.None
            ? JoinResult.Refuse(reply.Error, memberId)
            : new JoinResult(ErrorCode.None, reply.MemberId, reply.MemberEpoch, ConsumerGroupMigration.ProtocolType, request.Protocols[0].Name, "", SkipAssignment: false, []);
    }

    public SyncResult Sync(SyncRequest request)
    {
        if (_group.FindClassic(request.Caller, out var member) is var refusal and not ErrorCode.None)
            return SyncResult.Refuse(refusal);
        var protocol = member!.Classic!.Protocols is [var first, ..] ? first.Name : "";
        if ((request.ProtocolType ?? ConsumerGroupMigration.ProtocolType) != ConsumerGroupMigration.ProtocolType || (request.ProtocolName ?? protocol) != protocol)
            return SyncResult.Refuse(ErrorCode.InconsistentGroupProtocol);
        _group.Synced(member.MemberId);
        return new SyncResult(ErrorCode.None, ConsumerGroupMigration.ProtocolType, protocol, ConsumerGroupMigration.AssignmentFor(member, parts.TopicNames));
    }

    public async Task<ErrorCode> ClassicHeartbeatAsync(GroupCaller caller)
    {
        await FollowTopicsAsync();
        return (await FinishAsync(_group.ClassicHeartbeat(caller, parts.NowMs)))!.Error;
    }

    /// <summary>Removes a member, whichever protocol it speaks; an administrator may name a static one by its instance id alone.</summary>
    public async Task<ErrorCode> LeaveAsync(LeavingMember leaving)
    {
        var member = _group.Members.FirstOrDefault(one => leaving.InstanceId is null ? one.MemberId == leaving.MemberId : one.InstanceId == leaving.InstanceId);
        if (member is null)
            return ErrorCode.UnknownMemberId;
        if (leaving.MemberId.Length > 0 && member.MemberId != leaving.MemberId)
            return ErrorCode.FencedInstanceId;
        var reply = await HeartbeatAsync(new ConsumerGroupHeartbeat { MemberId = member.MemberId, InstanceId = member.InstanceId, MemberEpoch = ConsumerGroupHeartbeat.Leave });

        // It was not the member that was answered: its grain would go on answering its heartbeats alone, while others are given what it had.
        if (member.Classic is null)
            Member(member.MemberId).NudgeAsync().Ignore();
        return reply.Error;
    }

    public ErrorCode CheckCommit(CommitRequest request) => _group.CheckCommit(request.Caller.MemberId, request.Caller.Generation, request.KnowsMemberEpochs);

    public ErrorCode CheckFetch(GroupCaller caller) => _group.CheckFetch(caller.MemberId, caller.Generation);

    /// <summary>Does a member read the topic of that name? One that is gone, nobody reads.</summary>
    public bool Reads(string? topic) => topic is not null && parts.Topics.Find(topic) is { } known && _group.Reads(known.TopicId);

    public GroupDescription Describe() => new(
        ErrorCode.None,
        State,
        ConsumerGroupMigration.ProtocolType,
        _group.AssignorName,
        _group.GroupEpoch,
        [.. _group.Members.Select(member => new GroupMember(member.MemberId, member.InstanceId, member.ClientId, member.ClientHost, default, default))],
        [],
        new ConsumerGroupDescription(
            _group.GroupEpoch,
            _group.AssignmentEpoch,
            _group.AssignorName,
            [.. _group.Members.Select(member => new DescribedMember(member, _group.TargetOf(member.MemberId)))]));

    /// <summary>Takes a step; where it makes a new group epoch, that is why.</summary>
    private ConsumerGroupStep Because(string cause, Func<ConsumerGroupStep> step)
    {
        var epoch = _group.GroupEpoch;
        var taken = step();
        if (_group.GroupEpoch != epoch)
            _cause = cause;
        return taken;
    }

    private async Task<ConsumerGroupHeartbeatReply?> FinishAsync(ConsumerGroupStep step)
    {
        // Whoever is nudged asks at once, and is answered after the save that is under way.
        var saved = !step.Changed || await save();
        foreach (var memberId in step.Nudged)
            Member(memberId).NudgeAsync().Ignore();
        foreach (var memberId in step.Overdue)
        {
            if (_asking.Add(memberId))
                AskAsync(memberId).Ignore();
        }

        return saved || step.Reply is null ? step.Reply : ConsumerGroupHeartbeatReply.Refuse(step.Reply.MemberId, ErrorCode.NotCoordinator);
    }

    /// <summary>Asks the grain of a member that is overdue; one that does not answer has not heard of it either.</summary>
    private async Task AskAsync(string memberId)
    {
        TimeSpan? silence = null;
        try
        {
            silence = await Member(memberId).SilenceAsync().WaitAsync(s_askPatience, parts.Time);
        }
        catch (Exception failure)
        {
            parts.Diagnostics.MemberUnreachable(failure, groupId, memberId);
        }

        _asking.Remove(memberId);
        try
        {
            await FinishAsync(Because($"nothing was heard of {memberId}", () => _group.Heard(memberId, silence, parts.NowMs)));
        }
        catch (Exception defect)
        {
            // Nobody waits for this; the next look at who is overdue tries it again.
            parts.Diagnostics.MemberNotRemoved(defect, groupId, memberId);
        }
    }

    private async Task FollowTopicsAsync()
    {
        var version = parts.Topics.Version;
        if (version == _topicsVersion)
            return;
        _topicsVersion = version;
        await FinishAsync(Because("topics changed", () => _group.ChangeTopics(TopicsOf(parts), parts.NowMs)));
    }

    private IGroupMemberGrain Member(string memberId) => grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(groupId, memberId));

    private static IEnumerable<ConsumerGroupTopic> TopicsOf(GroupParts parts) =>
        [.. parts.Topics.ByName.Values.Select(topic => new ConsumerGroupTopic(topic.Name, topic.TopicId, topic.PartitionCount))];
}

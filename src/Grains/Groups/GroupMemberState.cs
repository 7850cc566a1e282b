using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>
/// The member's side of a group: decides whether a heartbeat can be answered without asking the group. Legal transitions:
/// <list type="bullet">
/// <item>blank -> (the group answered with the member as it is) known, blank -> (the group refused, or the member left) blank.</item>
/// <item>known -> (a heartbeat that says nothing new, of a member that has all it shall have, with no nudge since and the last answer not older
/// than the group check interval) known, answered alone.</item>
/// <item>known -> (any other heartbeat) asking -> (the group answered) known or blank. What comes in while asking is asked too.</item>
/// <item>any -> (nudge) the same, but the next heartbeat asks.</item>
/// </list>
/// A call of the group that fails leaves it asking: nothing is answered alone before the group answers. A new one, of a grain that was just
/// activated, counts as having heard of the member just now, as a coordinator that moves begins all sessions anew.
/// </summary>
internal sealed class GroupMemberState(ConsumerGroupOptions options, long now)
{
    private readonly Lock _gate = new();
    private ConsumerGroupMember? _member;
    private int _nudges;
    private int _nudgesWhenAsked;
    private bool _isAsking;
    private long _askedAt;
    private long _heardAt = now;

    /// <summary>The member as the group last described it; null: it did not, or the member has left.</summary>
    public ConsumerGroupMember? Member
    {
        get
        {
            lock (_gate)
                return _member;
        }
    }

    /// <summary>For how long nothing was heard of the member: what the group asks when it is overdue.</summary>
    public TimeSpan SilenceAt(long now)
    {
        lock (_gate)
            return TimeSpan.FromMilliseconds(Math.Max(0, now - _heardAt));
    }

    /// <summary>Answers a heartbeat that says nothing new. Of all here only this may be called by several threads at a time, beside the grain's own.</summary>
    /// <returns>Null: it is one for <see cref="Take"/>, and nothing has changed.</returns>
    public ConsumerGroupHeartbeatReply? TryAnswer(ConsumerGroupHeartbeat beat, long now)
    {
        lock (_gate)
        {
            if (_isAsking || _nudges != _nudgesWhenAsked || _member is not { } member || !CanAnswer(member, beat, now))
                return null;
            _heardAt = Math.Max(_heardAt, now);
            return new ConsumerGroupHeartbeatReply(ErrorCode.None, null, member.MemberId, member.MemberEpoch, options.HeartbeatInterval, beat.IsFull ? member.Assigned : null, member);
        }
    }

    /// <returns>Null: ask the group with it, and say what it answered by <see cref="Learn"/>.</returns>
    public ConsumerGroupHeartbeatReply? Take(ConsumerGroupHeartbeat beat, long now)
    {
        lock (_gate)
        {
            if (TryAnswer(beat, now) is { } reply)
                return reply;
            (_isAsking, _nudgesWhenAsked, _askedAt) = (true, _nudges, now);
            return null;
        }
    }

    /// <summary>The heartbeat as the group is to be asked with it: of a member that nothing is known of here, it shall be told its assignment.</summary>
    public ConsumerGroupHeartbeat Complete(ConsumerGroupHeartbeat beat)
    {
        lock (_gate)
            return _member is null ? beat with { MayBeMisled = true } : beat;
    }

    /// <summary>What the group answered to the heartbeat that was last asked about. One is asked about at a time.</summary>
    public void Learn(ConsumerGroupHeartbeatReply reply)
    {
        lock (_gate)
        {
            _isAsking = false;
            _member = reply.View;
            if (reply.Error == ErrorCode.None)
                _heardAt = Math.Max(_heardAt, _askedAt);
        }
    }

    /// <summary>The group has news for the member. May come in while the group is being asked.</summary>
    public void Nudge()
    {
        lock (_gate)
            _nudges++;
    }

    private bool CanAnswer(ConsumerGroupMember member, ConsumerGroupHeartbeat beat, long now) =>
        member.State == ConsumerGroupMemberState.Stable
        && beat.MemberEpoch == member.MemberEpoch
        && beat.MemberEpoch > ConsumerGroupHeartbeat.Join
        && beat.MemberId == member.MemberId
        && now - _askedAt < (long)options.GroupCheckInterval.TotalMilliseconds
        && ConsumerGroupMembership.SaysNothingNew(member, beat)
        && (beat.IsFull || beat.OwnedPartitions is not { } owned || !member.Assigned.Except(owned).Any())
        && ConsumerGroupHeartbeatCheck.Refuse(beat, options) is null;
}

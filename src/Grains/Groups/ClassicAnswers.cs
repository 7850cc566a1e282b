using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>What a <see cref="ClassicGroup"/> answers to joins and syncs, until it is taken out.</summary>
internal sealed class ClassicAnswers
{
    private readonly List<ClassicAnswer> _ready = [];

    /// <summary>The answers that are ready now, in their order.</summary>
    public IReadOnlyList<ClassicAnswer> Take()
    {
        if (_ready.Count == 0)
            return [];
        var taken = _ready.ToArray();
        _ready.Clear();
        return taken;
    }

    public void Add(long ticket, JoinResult refusal) => _ready.Add(new ClassicAnswer(ticket, refusal, null));

    public void Add(long ticket, SyncResult refusal) => _ready.Add(new ClassicAnswer(ticket, null, refusal));

    /// <summary>Answers the member's join, if one waits. With <paramref name="now"/> its session begins anew.</summary>
    public void Join(ClassicGroup group, ClassicMember member, ErrorCode error, TimeSpan? now)
    {
        if (member.JoinTicket is { } ticket)
        {
            var isLeading = member.MemberId == group.Members.LeaderId && group.State == GroupState.CompletingRebalance;
            Add(
                ticket,
                error != ErrorCode.None
                    ? JoinResult.Refuse(error, member.MemberId)
                    : Begin(group, member.MemberId, group.Members.LeaderId!, skipsAssignment: false, isLeading ? MembersOf(group) : []));
            member.JoinTicket = null;
        }

        if (error == ErrorCode.None && now is { } time)
            (member.IsNew, member.Deadline) = (false, time + member.SessionTimeout);
    }

    /// <summary>Answers the member's sync, if one waits. With <paramref name="now"/> its session begins anew.</summary>
    public void Sync(ClassicGroup group, ClassicMember member, ErrorCode error, TimeSpan? now)
    {
        if (member.SyncTicket is not { } ticket)
            return;
        Add(ticket, error != ErrorCode.None ? SyncResult.Refuse(error) : new SyncResult(error, group.ProtocolType, group.ProtocolName, member.Assignment));
        member.SyncTicket = null;
        if (now is { } time)
            member.Deadline = time + member.SessionTimeout;
    }

    /// <summary>
    /// Answers a static member that has come back into a generation that goes on. A leader that cannot be told to skip its assignment hears its
    /// former id as the leader's, so that it takes itself for a follower.
    /// </summary>
    public void Return(ClassicGroup group, long ticket, string memberId, string formerLeaderId, bool canSkipAssignment)
    {
        var skips = canSkipAssignment && group.Members.LeaderId == memberId;
        Add(ticket, Begin(group, memberId, skips ? memberId : formerLeaderId, skips, skips ? MembersOf(group) : []));
    }

    private static JoinResult Begin(ClassicGroup group, string memberId, string leaderId, bool skipsAssignment, ImmutableArray<JoinedMember> members) =>
        new(ErrorCode.None, memberId, group.Generation, group.ProtocolType, group.ProtocolName, leaderId, skipsAssignment, members);

    private static ImmutableArray<JoinedMember> MembersOf(ClassicGroup group) =>
        [.. group.Members.All.Select(member => new JoinedMember(member.MemberId, member.InstanceId, member.MetadataFor(group.ProtocolName)))];
}

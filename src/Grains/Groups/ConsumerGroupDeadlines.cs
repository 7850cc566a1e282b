using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>When each member of a group has been silent for too long, or has taken too long to give partitions back or, of the classic protocol, for its next call. Ms of one clock.</summary>
internal sealed class ConsumerGroupDeadlines(ConsumerGroupOptions options)
{
    private readonly Dictionary<string, Deadline> _byMember = new(StringComparer.Ordinal);

    /// <summary>The group heard of it, or of somebody who did.</summary>
    /// <param name="silence">For how long it had not been heard of.</param>
    public void Renew(ConsumerGroupMember member, long now, TimeSpan silence = default)
    {
        var session = member.Classic?.SessionTimeout ?? options.SessionTimeout;
        var renewed = now + Ms(session) - Ms(silence);
        if (!_byMember.TryGetValue(member.MemberId, out var deadline))
            _byMember.Add(member.MemberId, deadline = new Deadline());
        deadline.Session = Math.Max(deadline.Session, renewed);
        Next = Math.Min(Next, deadline.Session);
    }

    /// <summary>Begins, goes on with or ends its time to give partitions back.</summary>
    public void Follow(ConsumerGroupMember? before, ConsumerGroupMember after, long now)
    {
        var deadline = _byMember[after.MemberId];
        if (after.State != ConsumerGroupMemberState.UnrevokedPartitions)
            deadline.Revocation = long.MaxValue;
        else if (before is null || deadline.Revocation == long.MaxValue || !before.Revoking.SequenceEqual(after.Revoking))
            deadline.Revocation = now + RebalanceMs(after);
        Next = Math.Min(Next, deadline.Revocation);
    }

    /// <summary>A member of the classic protocol is told to join, and has its rebalance timeout for that; where it was told so already, that time goes on.</summary>
    public void AwaitJoin(ConsumerGroupMember member, long now)
    {
        var deadline = _byMember[member.MemberId];
        if (deadline.Join == long.MaxValue)
            deadline.Join = now + RebalanceMs(member);
        Next = Math.Min(Next, deadline.Join);
    }

    /// <summary>There is nothing to join for any more, and it need not have heard that there was.</summary>
    public void EndAwaitJoin(string memberId) => _byMember[memberId].Join = long.MaxValue;

    /// <summary>A member of the classic protocol has joined, and is to sync within its rebalance timeout.</summary>
    public void AwaitSync(ConsumerGroupMember member, long now)
    {
        var deadline = _byMember[member.MemberId];
        deadline.Sync = now + RebalanceMs(member);
        Next = Math.Min(Next, deadline.Sync);
    }

    /// <summary>It did what it was to do.</summary>
    public void EndAwait(string memberId) => (_byMember[memberId].Join, _byMember[memberId].Sync) = (long.MaxValue, long.MaxValue);

    public void Forget(string memberId)
    {
        _byMember.Remove(memberId);
        if (_byMember.Count == 0)
            Next = long.MaxValue;
    }

    public bool IsSilent(string memberId, long now) => _byMember[memberId].Session <= now;

    public IEnumerable<string> Silent(long now) => _byMember.Where(member => member.Value.Session <= now).Select(member => member.Key);

    /// <summary>Those that did not do in time what they were told.</summary>
    public IEnumerable<string> Late(long now) => _byMember.Where(member => member.Value.Revocation <= now || member.Value.Join <= now || member.Value.Sync <= now).Select(member => member.Key);

    /// <summary>Not later than the next one, and that one after <see cref="Recount"/>; <see cref="long.MaxValue"/> where there is none.</summary>
    public long Next { get; private set; } = long.MaxValue;

    /// <summary>Walks all members: to be called when <see cref="Next"/> has come, not with every heartbeat.</summary>
    public void Recount()
    {
        Next = long.MaxValue;
        foreach (var deadline in _byMember.Values)
            Next = Math.Min(Math.Min(Next, Math.Min(deadline.Join, deadline.Sync)), Math.Min(deadline.Session, deadline.Revocation));
    }

    private long RebalanceMs(ConsumerGroupMember member) =>
        Ms(member.RebalanceTimeout < options.MaxRebalanceTimeout ? member.RebalanceTimeout : options.MaxRebalanceTimeout);

    private static long Ms(TimeSpan time) => (long)time.TotalMilliseconds;

    private sealed class Deadline
    {
        public long Session { get; set; } = long.MinValue;

        public long Revocation { get; set; } = long.MaxValue;

        /// <summary>For a JoinGroup that is owed.</summary>
        public long Join { get; set; } = long.MaxValue;

        /// <summary>For a SyncGroup that is owed.</summary>
        public long Sync { get; set; } = long.MaxValue;
    }
}

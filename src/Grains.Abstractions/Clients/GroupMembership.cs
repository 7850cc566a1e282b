using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>What a member asks of its group; see <see cref="ConsumerGroupHeartbeat"/>.</summary>
/// <param name="Regex">Empty: by names only.</param>
internal sealed record GroupSubscription(
    string MemberId,
    string? InstanceId,
    ImmutableArray<string> Topics,
    string Regex,
    string? Assignor,
    string ClientId,
    TimeSpan RebalanceTimeout);

/// <summary>What an answer means for the member.</summary>
internal enum MembershipNews : byte
{
    /// <summary>It goes on; there may be something to give back or to take up.</summary>
    None,

    /// <summary>The coordinator cannot say now: ask again soon.</summary>
    Unavailable,

    /// <summary>The group has removed it: all it had may be others' already. It joins anew with the next heartbeat.</summary>
    Lost,

    /// <summary>The group will not have it.</summary>
    Refused,
}

/// <summary>
/// A member of a group, the member's side (KIP-848). Legal transitions: Joining (epoch 0) -> (an answer) Member at the answer's epoch; Member -> (an
/// assignment) Reconciling: first <see cref="GiveBack"/>, then <see cref="TakeUp"/>, then Member, which it says with its next heartbeat; any -> (an answer is lost)
/// the same, without the assignment it had not taken up: it says everything, and is told it again; any -> (fenced, or unknown to the group) Joining, owning nothing; any ->
/// (<see cref="Leave"/>) Left, which is Joining to whoever goes on. One heartbeat at a time. What is in <see cref="Owned"/> the member may use, and nothing else.
/// </summary>
internal sealed class GroupMembership(GroupSubscription subscription)
{
    private readonly HashSet<PartitionId> _owned = [];
    private ImmutableHashSet<PartitionId>? _target;
    private bool _saysAll = true;
    private bool _saysOwned;
    private bool _hasSpoken;

    public string MemberId => subscription.MemberId;

    /// <summary>0: it has not joined, has been removed, or has left.</summary>
    public int Epoch { get; private set; }

    /// <summary>Grows whenever the member is removed: what was begun for an earlier life counts no more.</summary>
    public int Life { get; private set; }

    public IReadOnlySet<PartitionId> Owned => _owned;

    /// <summary>The next heartbeat must not wait: the group may be waiting for what it says.</summary>
    public bool IsUrgent => _saysAll || _saysOwned;

    /// <summary>What it must give back before it takes up anything.</summary>
    public ImmutableArray<PartitionId> ToGiveBack => _target is { } target ? [.. _owned.Where(partition => !target.Contains(partition))] : [];

    /// <summary>There is an assignment that it has not taken up.</summary>
    public bool HasWork => _target is not null;

    public ConsumerGroupHeartbeat Beat()
    {
        // What it says it owns it stands by: were it to take up an older assignment after it said so, it could use what the group has given to others since.
        // So it says all, and is told its assignment again.
        var all = _saysAll || Epoch == ConsumerGroupHeartbeat.Join || (_saysOwned && HasWork);
        if (all)
            _target = null;
        var beat = new ConsumerGroupHeartbeat
        {
            MemberId = MemberId,
            MemberEpoch = Epoch,
            InstanceId = subscription.InstanceId,
            RebalanceTimeout = all ? subscription.RebalanceTimeout : null,
            SubscribedTopics = all ? subscription.Topics : null,
            SubscribedRegex = all ? subscription.Regex : null,
            ServerAssignor = all ? subscription.Assignor : null,
            OwnedPartitions = all || _saysOwned ? [.. _owned] : null,
            ClientId = subscription.ClientId,
            ClientHost = "in-cluster",
        };
        (_saysAll, _saysOwned, _hasSpoken) = (false, false, true);
        return beat;
    }

    /// <summary>No answer came: whether the group heard it is not known, so the next one says everything.</summary>
    public void HearNothing() => _saysAll = true;

    public MembershipNews Hear(ConsumerGroupHeartbeatReply reply)
    {
        switch (reply.Error)
        {
            case ErrorCode.None:
                Epoch = reply.MemberEpoch;
                if (reply.Assignment is { } assignment)
                    Aim(assignment);
                return MembershipNews.None;
            case ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch:
            // The group was deleted, or speaks the classic protocol, since this member was put out of it.
            case ErrorCode.GroupIdNotFound when Epoch > ConsumerGroupHeartbeat.Join:
                Forget();
                return MembershipNews.Lost;
            default:
                HearNothing();

                // Another process has the instance id and has not gone: it may go yet.
                return reply.Error == ErrorCode.UnreleasedInstanceId || DeliveryVerdicts.IsRetriable(reply.Error)
                    ? MembershipNews.Unavailable
                    : MembershipNews.Refused;
        }
    }

    /// <summary>These are no longer used. Partitions that are not owned (any more) are passed over.</summary>
    public void GiveBack(IEnumerable<PartitionId> partitions)
    {
        foreach (var partition in partitions)
            _saysOwned |= _owned.Remove(partition);
    }

    /// <summary>Owns the whole assignment from now on, and says so with its next heartbeat. Nothing where there is something to give back first, or no assignment.</summary>
    /// <returns>What is new.</returns>
    public ImmutableArray<PartitionId> TakeUp()
    {
        if (_target is not { } target || !ToGiveBack.IsEmpty)
            return [];
        ImmutableArray<PartitionId> added = [.. target.Where(_owned.Add)];
        _target = null;
        _saysOwned = true;
        return added;
    }

    /// <summary>It is no member any more, and owns nothing; with the next heartbeat it joins.</summary>
    public void Forget()
    {
        _owned.Clear();
        _target = null;
        (Epoch, _saysAll, _saysOwned, _hasSpoken) = (ConsumerGroupHeartbeat.Join, true, false, false);
        Life++;
    }

    /// <summary>
    /// The heartbeat that ends the membership; null where there is none to end. A static member keeps its place for its session. What is beaten after it is
    /// a new life.
    /// </summary>
    public ConsumerGroupHeartbeat? Leave()
    {
        // One that has not heard yet that it joined may have joined all the same.
        var isMember = _hasSpoken;
        Forget();
        return isMember
            ? new ConsumerGroupHeartbeat
            {
                MemberId = MemberId,
                MemberEpoch = subscription.InstanceId is null ? ConsumerGroupHeartbeat.Leave : ConsumerGroupHeartbeat.LeaveForAWhile,
                InstanceId = subscription.InstanceId,
            }
            : null;
    }

    private void Aim(ImmutableArray<PartitionId> assignment)
    {
        // Every assignment is acknowledged, also one that takes back what was not yet taken up.
        var isSame = _owned.SetEquals(assignment);
        _saysOwned |= isSame;
        _target = isSame ? null : [.. assignment];
    }
}

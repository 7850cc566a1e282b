using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>
/// Who held a group's partition, by the members' own accounts. Nobody is given a partition while another holds it who then gives it back as if it
/// were still its own. Two may hold it only where one was given up for dead and has not heard of it: no server can tell a member that it cannot reach.
/// It finds out by itself when it has had no answer for its session timeout, or when the one call that its thread is in comes back; that is no anomaly, any
/// longer one is, and what it commits meanwhile is refused (<see cref="CommitCheck"/>).
/// </summary>
internal sealed class OwnershipCheck(Anomalies anomalies)
{
    /// <summary>A member that is not answered knows that it is none any more when this is over.</summary>
    public static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(4);

    /// <summary>The members' socket timeout, and the second that their client takes to notice: so long a call may keep a member's thread from its callback.</summary>
    public static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(6);

    private readonly Dictionary<(int Group, int Partition), List<Ownership>> _owners = [];

    public void Look(in HistoryEvent one)
    {
        switch (one.Kind)
        {
            case HistoryEventKind.Assigned:
                Begin(one);
                break;
            case HistoryEventKind.Revoked or HistoryEventKind.Lost or HistoryEventKind.Ended:
                End(one);
                break;
        }
    }

    /// <summary>Since when the member held the partition at that time, -1 where it did not; and whether another was given it later, before that time.</summary>
    public (long Since, bool IsSuperseded) At(int group, int partition, int client, long time)
    {
        if (!_owners.TryGetValue((group, partition), out var owners))
            return (-1, false);
        var own = owners.FindLastIndex(owner => owner.Client == client && owner.Since <= time);
        return own < 0 ? (-1, false) : (owners[own].Since, owners.Skip(own + 1).Any(owner => owner.Client != client && owner.Since <= time));
    }

    public void Finish(long last)
    {
        foreach (var ((group, partition), owners) in _owners)
        {
            foreach (var owner in owners.Where(owner => owner.Until is null))
                CompareIgnorance(owner, group, partition, last);
        }
    }

    private void Begin(in HistoryEvent one)
    {
        ref var owners = ref CollectionsMarshal.GetValueRefOrAddDefault(_owners, (one.Group, one.Partition), out _);
        owners ??= [];
        foreach (var other in owners.Where(owner => owner.Until is null))
        {
            if (other.Client == one.Client)
                anomalies.Add($"member {one.Client} of group {one.Group} was given partition {one.Partition}, which it held");
            else if (other.Superseded < 0)
                (other.Superseded, other.Successor) = (one.Time, one.Client);
        }

        owners.Add(new Ownership(one.Client, one.Time));
    }

    private void End(in HistoryEvent one)
    {
        var (group, partition, client) = (one.Group, one.Partition, one.Client);
        if (!_owners.TryGetValue((group, partition), out var owners) || owners.FindLast(owner => owner.Client == client && owner.Until is null) is not { } ending)
        {
            anomalies.Add($"member {client} of group {group} gave up partition {partition}, which it did not hold");
            return;
        }

        ending.Until = one.Time;
        if (ending.Superseded >= 0 && one.Kind == HistoryEventKind.Revoked)
            anomalies.Add($"partition {partition} of group {group} was given to member {ending.Successor} {Milliseconds(one.Time - ending.Superseded)} ms before member {client} gave it back");
        else
            CompareIgnorance(ending, group, partition, one.Time);
    }

    private void CompareIgnorance(Ownership owner, int group, int partition, long until)
    {
        if (owner.Superseded >= 0 && until - owner.Superseded > (SessionTimeout + LongestCall).Ticks)
            anomalies.Add($"members {owner.Client} and {owner.Successor} of group {group} held partition {partition} at the same time for {Milliseconds(until - owner.Superseded)} ms");
    }

    private static long Milliseconds(long ticks) => ticks / TimeSpan.TicksPerMillisecond;

    private sealed class Ownership(int client, long since)
    {
        public int Client { get; } = client;

        public long Since { get; } = since;

        public long? Until { get; set; }

        /// <summary>When another was given the partition meanwhile; -1: never.</summary>
        public long Superseded { get; set; } = -1;

        /// <summary>Who that was.</summary>
        public int Successor { get; set; }
    }
}

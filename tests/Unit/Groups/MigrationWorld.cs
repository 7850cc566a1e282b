using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>
/// A group that goes from one protocol to the other and back as members of both come and go, led as its grain leads it: saved before anybody is told; with
/// answers that are lost, and coordinators that crash before and after they saved. Checks at every answer what must always hold.
/// </summary>
internal sealed class MigrationWorld(Random random)
{
    public static readonly ConsumerGroupTopic Topic = new("orders", new Guid("00000000-0000-0000-0000-0000000000a1"), 7);
    public static readonly ImmutableArray<PartitionId> Partitions = [.. Enumerable.Range(0, Topic.PartitionCount).Select(index => new PartitionId(Topic.TopicId, index))];

    private static readonly Dictionary<string, Guid> s_ids = new() { [Topic.Name] = Topic.TopicId };
    private static readonly Dictionary<Guid, string> s_names = new() { [Topic.TopicId] = Topic.Name };
    private static readonly ConsumerGroupOptions s_consumerOptions = new() { SessionTimeout = TimeSpan.FromSeconds(6), AssignmentInterval = TimeSpan.FromMilliseconds(100) };

    private readonly GroupOptions _options = new()
    {
        InitialRebalanceDelay = random.Next(2) == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(200),
        NewMemberJoinTimeout = TimeSpan.FromSeconds(6),
    };

    private readonly Dictionary<string, GroupMemberState> _grains = [];
    private readonly Dictionary<long, MigrationClassicClient> _waiting = [];
    private ClassicGroup _classic = new(new GroupOptions());
    private ConsumerGroup? _consumer;
    private (ClassicGroupState? Classic, ConsumerGroupState? Consumer) _saved = (new ClassicGroupState(), null);
    private bool _isConverted;
    private long _tickets;
    private int _ids;
    private int _highestGeneration = -1;
    private int _highestEpoch = -1;

    public long Now { get; private set; }

    /// <summary>Nothing goes wrong any more.</summary>
    public bool IsQuiet { get; set; }

    public List<MigrationClassicClient> Classics { get; } = [];

    public List<ConsumerGroupClient> Consumers { get; } = [];

    public MigrationTallies Tallies { get; } = new();

    /// <summary>The generation, or the group epoch; what begins next is above it.</summary>
    public int Generation => _consumer?.GroupEpoch ?? Math.Max(_classic.Generation, _classic.GroupEpoch);

    private TimeSpan Time => TimeSpan.FromMilliseconds(Now);

    public void SuspectAll()
    {
        foreach (var client in Consumers)
            client.MayBeRemoved = true;
        foreach (var client in Classics)
            client.MayBeRemoved = true;
    }

    /// <summary>Time passes, and what is due in the group is done.</summary>
    public void Pass(int ms)
    {
        Now += ms;
        while (_consumer is { } group && group.NextTick <= Now)
        {
            var step = group.Tick(Now);
            if (!Settle(step))
                continue;
            foreach (var memberId in step.Overdue)
            {
                if (_consumer is { } still)
                    Settle(still.Heard(memberId, GrainOf(memberId).SilenceAt(Now), Now));
            }
        }

        SettleProtocol();
        if (_consumer is null)
            Call(() => _classic.Tick(Time));
        foreach (var client in Consumers)
            client.NoticeRemoval(IsMember(client.MemberId));
        foreach (var client in Classics)
            client.NoticeRemoval(IsMember(client.MemberId));
    }

    public void Crash()
    {
        Tallies.Crashes++;
        foreach (var client in _waiting.Values)
            client.HearNothing();
        _waiting.Clear();
        _isConverted = false;
        _consumer = _saved.Consumer is { } members ? new ConsumerGroup(members, [Topic], s_consumerOptions, Now) : null;
        _classic = _saved.Classic is { } kept ? ClassicGroup.Restore(_options, kept, Time) : new ClassicGroup(_options);
    }

    /// <summary>The next call that it has to make, or a heartbeat.</summary>
    public void Act(MigrationClassicClient client)
    {
        if (client.Phase == ClientPhase.Outside)
            Join(client);
        else if (client.Phase == ClientPhase.Joined)
            Sync(client);
        else if (client.Phase == ClientPhase.Steady)
            BeatClassic(client);
        AssertNoneIsOwnedTwice();
    }

    /// <summary>Its next heartbeat. Where the group is a classic one again since it was removed, it joins anew, as who is told that it is no member.</summary>
    public void Act(ConsumerGroupClient client)
    {
        if (Chance(20))
            _grains.Remove(client.MemberId);
        var reply = Chance(15) ? null : Ask(client.Beat());
        if (reply is null || Chance(15))
            client.HearNothing();
        else
            client.Hear(reply.Error == ErrorCode.GroupIdNotFound && client.Epoch != 0 ? reply with { Error = ErrorCode.UnknownMemberId } : reply);
        if (reply is { Error: ErrorCode.None, MemberEpoch: > 0 })
        {
            Assert.True(reply.MemberEpoch >= _highestGeneration, $"epoch {reply.MemberEpoch} was told after generation {_highestGeneration}");
            _highestEpoch = Math.Max(_highestEpoch, reply.MemberEpoch);
        }

        AssertNoneIsOwnedTwice();
    }

    /// <summary>A consumer member's last heartbeat; it does not wait for the answer.</summary>
    public void Leave(ConsumerGroupClient client, int epoch)
    {
        client.Stop();
        Ask(client.Leaving(epoch));
        SettleProtocol();
    }

    public void Leave(MigrationClassicClient client)
    {
        client.Stop();
        if (_consumer is { } group)
            Settle(group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = client.MemberId, InstanceId = client.InstanceId, MemberEpoch = ConsumerGroupHeartbeat.Leave }, Now));
        else
            Call(() => _classic.Leave(new LeavingMember(client.MemberId, client.InstanceId), Time));
        SettleProtocol();
    }

    public void Commit(ConsumerGroupClient client) => Commit(new GroupCaller(client.MemberId, client.InstanceId, client.Epoch), client.FormerEpoch ?? -1, client.Owned);

    public void Commit(MigrationClassicClient client) => Commit(client.Caller, client.FormerGeneration, client.Owned);

    public bool IsSettled() =>
        (_consumer is not null) == Consumers.Any(client => client.IsAlive)
        && (_consumer is { } group ? group.State == "Stable" : _classic.State == GroupState.Stable)
        && Consumers.All(client => !client.IsAlive || client.IsSettled(_consumer!))
        && Classics.All(client => !client.IsAlive || (client.Phase == ClientPhase.Steady && IsMember(client.MemberId)))
        && (_consumer?.Members.Count ?? _classic.Members.Count) == Alive().Count();

    /// <summary>Every partition is used, and by one.</summary>
    public void AssertAllAreOwned() => Assert.Equal(Partitions, Alive().SelectMany(owned => owned).Order(PartitionOrder.Instance));

    public override string ToString() => _consumer is { } group
        ? $"consumer group {group.State} at {group.GroupEpoch}: {string.Join(", ", group.Members.Select(member => $"{member.MemberId}@{member.MemberEpoch}"))}"
        : $"classic group {_classic.State} at {_classic.Generation}: {string.Join(", ", _classic.Members.All.Select(member => member.MemberId))}";

    private IEnumerable<HashSet<PartitionId>> Alive() =>
        Consumers.Where(client => client.IsAlive).Select(client => client.Owned).Concat(Classics.Where(client => client.IsAlive).Select(client => client.Owned));

    private bool IsMember(string memberId) => _consumer?.Members.Any(member => member.MemberId == memberId) ?? _classic.Members.Has(memberId);

    private void Join(MigrationClassicClient client)
    {
        var request = client.Join();
        if (_consumer is { Members.Count: 0 })
            BecomeClassic();
        var (ticket, newId) = (++_tickets, $"c{++_ids}");
        _waiting[ticket] = client;
        if (_consumer is not { } group)
            Call(() => _classic.Join(ticket, request, newId, Time));
        else if (Join(group, request, newId) is { } result)
            Deliver(new ClassicAnswer(ticket, result, null));
    }

    /// <returns>Null: the coordinator has crashed.</returns>
    private JoinResult? Join(ConsumerGroup group, JoinRequest request, string newId)
    {
        if (ConsumerGroupMigration.RefuseClassic(group.Members, request) is var refusal and not ErrorCode.None)
            return JoinResult.Refuse(refusal, request.MemberId);
        if (request is { MemberId: "", RequiresKnownId: true, InstanceId: null })
            return JoinResult.Refuse(ErrorCode.MemberIdRequired, newId);
        var step = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(ConsumerGroupClassicSeat.Of(request, request.MemberId.Length == 0 ? newId : request.MemberId), s_ids)!, Now);
        if (!Settle(step))
            return null;
        Assert.Equal((ErrorCode.None, null), (step.Reply!.Error, step.Reply.Message));
        _highestEpoch = Math.Max(_highestEpoch, step.Reply.MemberEpoch);
        return new JoinResult(ErrorCode.None, step.Reply.MemberId, step.Reply.MemberEpoch, "consumer", request.Protocols[0].Name, "", false, []);
    }

    private void Sync(MigrationClassicClient client)
    {
        var request = client.Sync();
        var ticket = ++_tickets;
        _waiting[ticket] = client;
        if (_consumer is not { } group)
        {
            Call(() => _classic.Sync(ticket, request, Time));
            return;
        }

        var error = group.FindClassic(request.Caller, out var member);
        if (error == ErrorCode.None)
            group.Synced(member!.MemberId);
        Deliver(new ClassicAnswer(ticket, null, error != ErrorCode.None ? SyncResult.Refuse(error)
            : new SyncResult(error, "consumer", request.ProtocolName, ConsumerGroupMigration.AssignmentFor(member!, s_names))));
    }

    private void BeatClassic(MigrationClassicClient client)
    {
        ErrorCode? answer = null;
        if (_consumer is { } group)
        {
            var step = group.ClassicHeartbeat(client.Caller, Now);
            answer = Settle(step) ? step.Reply!.Error : null;
        }
        else
        {
            var crashes = Tallies.Crashes;
            Call(() => answer = _classic.Heartbeat(client.Caller, Time));
            answer = crashes == Tallies.Crashes ? answer : null;
        }

        if (answer is null || Chance(15))
            return;
        client.Hear(answer.Value);
        client.MayBeRemoved &= answer != ErrorCode.None;
    }

    private ConsumerGroupHeartbeatReply? Ask(ConsumerGroupHeartbeat beat)
    {
        var grain = GrainOf(beat.MemberId);
        if (grain.Take(beat, Now) is { } alone)
            return alone;
        if (_consumer is null && BecomeConsumer(beat) is { } refused)
        {
            grain.Learn(refused);
            return refused;
        }

        var step = _consumer!.Heartbeat(grain.Complete(beat), Now);
        if (!Settle(step))
            return null;
        grain.Learn(step.Reply!);
        SettleProtocol();
        return step.Reply;
    }

    private ConsumerGroupHeartbeatReply? BecomeConsumer(ConsumerGroupHeartbeat beat)
    {
        if (beat.MemberEpoch != ConsumerGroupHeartbeat.Join)
            return ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, ErrorCode.GroupIdNotFound, "not a consumer group");
        if (GroupConversion.ToConsumer(_classic, s_consumerOptions, s_ids) is not { } members)
            return ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, ErrorCode.GroupIdNotFound, $"cannot be one: {this}");
        var converted = new ConsumerGroup(members, [Topic], s_consumerOptions, Now);
        if (converted.Refuses(beat) is { } not)
            return ConsumerGroupHeartbeatReply.Refuse(beat.MemberId, not.Error, not.Message);
        Tallies.Upgrades += _classic.Members.Count > 0 ? 1 : 0;
        Tallies.UpgradesMidway += _classic.State is GroupState.PreparingRebalance or GroupState.CompletingRebalance ? 1 : 0;
        _classic.End(ErrorCode.RebalanceInProgress);
        foreach (var answer in _classic.TakeAnswers())
            Deliver(answer);
        (_classic, _consumer, _isConverted) = (new ClassicGroup(_options), converted, true);
        return null;
    }

    private void SettleProtocol()
    {
        if (_consumer is not { } group || !ConsumerGroupMigration.CanDowngrade(group.Members, s_consumerOptions, _options.MaxMembers))
            return;
        Tallies.CountDowngrade(group);
        var newest = group.Members.Max(member => member.MemberEpoch);
        BecomeClassic();
        Tallies.Called += Classics.Count(client => IsMember(client.MemberId) && client.IsCalled(newest, _classic, Time));
        Call(() => { });
    }

    private void BecomeClassic()
    {
        _classic = ClassicGroup.Restore(_options, GroupConversion.ToClassic(_consumer!, s_names), Time);
        (_consumer, _isConverted) = (null, true);
    }

    private ErrorCode CheckCommit(GroupCaller caller) => _consumer?.CheckCommit(caller.MemberId, caller.Generation) ?? _classic.CheckCommit(caller, Time);

    /// <summary>Who may commit uses what is its own by the group, and commits by its newest generation only.</summary>
    private void Commit(GroupCaller caller, int former, HashSet<PartitionId> owned)
    {
        if (CheckCommit(caller) == ErrorCode.None && IsMember(caller.MemberId))
        {
            Tallies.Commits++;
            if (_consumer?.Members.First(member => member.MemberId == caller.MemberId) is { } member)
                Assert.True(owned.IsSubsetOf(member.Owned), $"{caller.MemberId} may commit what is no longer its own");
        }

        if (former < 0 || former >= caller.Generation)
            return;
        Tallies.Refused++;
        Assert.NotEqual(ErrorCode.None, CheckCommit(caller with { Generation = former }));
    }

    /// <summary>One turn of the classic coordinator, saved before its answers leave.</summary>
    private void Call(Action turn)
    {
        turn();
        var answers = _classic.TakeAnswers();
        if (Chance(30))
        {
            Crash();
            return;
        }

        if (_classic.TakeChanged() | _isConverted)
            Save();
        if (Chance(30))
        {
            Crash();
            return;
        }

        foreach (var answer in answers)
            Deliver(answer);
    }

    /// <returns>False: the coordinator crashed, before or after it saved, and nobody hears of that step.</returns>
    private bool Settle(ConsumerGroupStep step)
    {
        if (Chance(30))
        {
            Crash();
            return false;
        }

        if (step.Changed)
            Save();
        if (Chance(30))
        {
            Crash();
            return false;
        }

        foreach (var memberId in step.Nudged)
        {
            if (_grains.TryGetValue(memberId, out var grain) && !(random.Next(4) == 0))
                grain.Nudge();
        }

        return true;
    }

    private void Save()
    {
        Assert.True(Generation >= (_saved.Consumer?.GroupEpoch ?? Math.Max(_saved.Classic!.Generation, _saved.Classic.GroupEpoch)), $"what is kept went back to {Generation}");
        _saved = _consumer is { } group ? (null, group.Export()) : (_classic.ToState(), null);
        _isConverted = false;
    }

    private void Deliver(ClassicAnswer answer)
    {
        if (!_waiting.Remove(answer.Ticket, out var client))
            return;
        if (answer.Join is { Error: ErrorCode.None } joined && _consumer is null)
        {
            Assert.True(joined.Generation > _highestEpoch && joined.Generation >= _highestGeneration, $"generation {joined.Generation} was told after {_highestGeneration}, and epoch {_highestEpoch}");
            _highestGeneration = joined.Generation;
        }

        if (!client.IsAlive)
            return;
        if (Chance(20))
            client.HearNothing();
        else if (answer.Join is { } join)
            client.Hear(join);
        else
            client.Hear(answer.Sync!);
    }

    private GroupMemberState GrainOf(string memberId)
    {
        if (!_grains.TryGetValue(memberId, out var grain))
            _grains.Add(memberId, grain = new GroupMemberState(s_consumerOptions, Now));
        return grain;
    }

    private void AssertNoneIsOwnedTwice()
    {
        var owned = Alive().SelectMany(some => some).ToArray();
        Assert.True(owned.Length == owned.Distinct().Count(), $"used by two: {string.Join(", ", owned.GroupBy(one => one).Where(one => one.Count() > 1).Select(one => one.Key.Index))}; {string.Join("; ", Classics.Where(client => client.IsAlive))} {string.Join("; ", Consumers.Where(client => client.IsAlive).Select(client => $"{client.MemberId}@{client.Epoch} uses {string.Join(",", client.Owned.Select(one => one.Index))}"))}; {this}");
    }

    private bool Chance(int oneIn) => !IsQuiet && random.Next(oneIn) == 0;
}

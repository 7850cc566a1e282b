using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>
/// A group with its state saved, its members' grains and its clients, and all that can go wrong between them: answers lost, coordinators that crash
/// before and after they saved, grains of members that forget, nudges that nobody gets.
/// </summary>
internal sealed class ConsumerGroupWorld(Random random, ConsumerGroupOptions options)
{
    private readonly Dictionary<string, GroupMemberState> _grains = [];
    private readonly Dictionary<string, int> _epochs = [];
    private ConsumerGroupState _saved = new();
    private ConsumerGroup _group = new(new ConsumerGroupState(), [], options, 0);

    public long Now { get; private set; }

    public bool IsQuiet { get; set; }

    public bool LosesNudges { get; set; } = true;

    public List<ConsumerGroupTopic> Topics { get; } = [];

    public List<ConsumerGroupClient> Clients { get; } = [];

    /// <summary>Who speaks the classic protocol.</summary>
    public List<ConsumerGroupClassicClient> Classics { get; } = [];

    /// <summary>Who should be a member, and what it uses.</summary>
    public IEnumerable<(string MemberId, HashSet<PartitionId> Owned, Func<string, bool> Reads)> Alive =>
        Clients.Where(client => client.IsAlive).Select(client => (client.MemberId, client.Owned, (Func<string, bool>)client.IsSubscribed))
            .Concat(Classics.Where(client => client.IsAlive).Select(client => (client.MemberId, client.Owned, (Func<string, bool>)client.IsSubscribed)));

    public ConsumerGroup Group => _group;

    public void ChangeTopics() => Settle(_group.ChangeTopics(Topics, Now));

    /// <summary>Time passes, and what is due in the group is done.</summary>
    public void Pass(int ms)
    {
        Now += ms;
        while (_group.NextTick <= Now)
        {
            var step = _group.Tick(Now);
            if (!Settle(step))
                continue;
            foreach (var memberId in step.Overdue)
                Settle(_group.Heard(memberId, GrainOf(memberId).SilenceAt(Now), Now));
        }

        foreach (var client in Clients)
            client.NoticeRemoval(_group.Members.Any(member => member.MemberId == client.MemberId));
        foreach (var client in Classics)
            client.NoticeRemoval(_group.Members.Any(member => member.MemberId == client.MemberId));
    }

    public void Act(ConsumerGroupClassicClient client)
    {
        client.Act(this);
        AssertNoneIsOwnedTwice();
    }

    /// <summary>A JoinGroup, as the heartbeat that it is taken for. Null: lost on its way, or its answer is.</summary>
    public ConsumerGroupHeartbeatReply? Join(ConsumerGroupHeartbeat join)
    {
        if (Chance(15))
            return null;
        var step = _group.Heartbeat(join, Now);
        return Settle(step) && !Chance(15) ? step.Reply : null;
    }

    /// <summary>Null: the answer is lost.</summary>
    public Abstractions.ErrorCode? BeatClassic(GroupCaller caller)
    {
        var step = _group.ClassicHeartbeat(caller, Now);
        return Settle(step) && !Chance(15) ? step.Reply!.Error : null;
    }

    public Abstractions.ErrorCode? Sync(GroupCaller caller, out ImmutableArray<PartitionId> assigned)
    {
        var error = _group.FindClassic(caller, out var member);
        assigned = member?.Assigned ?? [];
        if (error == Abstractions.ErrorCode.None)
            _group.Synced(caller.MemberId);
        return Chance(15) ? null : error;
    }

    public void Beat(ConsumerGroupClient client)
    {
        if (Chance(20))
            _grains.Remove(client.MemberId);
        var beat = client.Beat();
        var grain = GrainOf(client.MemberId);
        var reply = Chance(15) ? null : Ask(grain, beat);
        if (reply is null || Chance(15))
            client.HearNothing();
        else
            client.Hear(reply);
        if (reply?.Error == Abstractions.ErrorCode.None && reply.MemberEpoch > 0)
        {
            Assert.True(_epochs.GetValueOrDefault(client.MemberId) <= reply.MemberEpoch, "a member's epoch went back");
            _epochs[client.MemberId] = reply.MemberEpoch;
        }

        AssertNoneIsOwnedTwice();
    }

    /// <summary>A heartbeat of somebody who does not wait for the answer.</summary>
    public void Say(ConsumerGroupHeartbeat beat) => Ask(GrainOf(beat.MemberId), beat);

    public void Crash()
    {
        var (groupEpoch, assignmentEpoch) = (_saved.GroupEpoch, _saved.AssignmentEpoch);
        _group = new ConsumerGroup(_saved, Topics, options, Now);
        Assert.True(_group.GroupEpoch >= groupEpoch && _group.AssignmentEpoch >= assignmentEpoch, "an epoch went back");
        foreach (var nudged in _group.Tick(Now).Nudged)
            Nudge(nudged);
        _saved = _group.Export();
    }

    public bool IsSettled() => _group.State is "Stable" or "Empty" && Clients.All(client => !client.IsAlive || client.IsSettled(_group))
        && Classics.All(client => !client.IsAlive || client.IsSettled(_group));

    /// <summary>Every partition that somebody alive is subscribed to is used by one of these, and by what the group says.</summary>
    public void AssertAllAreOwned()
    {
        var alive = Alive.ToArray();
        var subscribed = Topics.Where(topic => alive.Any(client => client.Reads(topic.Name)))
            .SelectMany(topic => Enumerable.Range(0, topic.PartitionCount).Select(index => new PartitionId(topic.TopicId, index)));
        Assert.Equal(subscribed.Order(PartitionOrder.Instance), alive.SelectMany(client => client.Owned).Order(PartitionOrder.Instance));
        Assert.Equal(alive.Select(client => client.MemberId).Order(), _group.Members.Select(member => member.MemberId).Order());
        foreach (var client in alive)
            Assert.All(client.Owned, partition => Assert.True(client.Reads(Topics.Single(topic => topic.TopicId == partition.TopicId).Name)));
    }

    private ConsumerGroupHeartbeatReply? Ask(GroupMemberState grain, ConsumerGroupHeartbeat beat)
    {
        if (grain.Take(beat, Now) is { } alone)
            return alone;
        var step = _group.Heartbeat(beat, Now);
        if (!Settle(step))
            return null;
        grain.Learn(step.Reply!);
        return step.Reply;
    }

    /// <returns>False: the coordinator crashed, before or after it saved, and nobody hears of that step.</returns>
    private bool Settle(ConsumerGroupStep step)
    {
        Assert.True(_group.GroupEpoch >= _saved.GroupEpoch && _group.AssignmentEpoch >= _saved.AssignmentEpoch, "an epoch went back");
        if (Chance(30))
        {
            Crash();
            return false;
        }

        if (step.Changed)
            _saved = _group.Export();
        else
            AssertSaved();
        if (Chance(30))
        {
            Crash();
            return false;
        }

        foreach (var memberId in step.Nudged)
            Nudge(memberId);
        return true;
    }

    /// <summary>A step that says it changed nothing has nothing to save.</summary>
    private void AssertSaved()
    {
        Assert.Equal((_saved.GroupEpoch, _saved.AssignmentEpoch, _saved.Assignor), (_group.GroupEpoch, _group.AssignmentEpoch, _group.AssignorName));
        Assert.Equal(_saved.Members.OrderBy(member => member.MemberId), _group.Members.OrderBy(member => member.MemberId));
    }

    private void Nudge(string memberId)
    {
        if (_grains.TryGetValue(memberId, out var grain) && !(LosesNudges && random.Next(4) == 0))
            grain.Nudge();
    }

    private GroupMemberState GrainOf(string memberId)
    {
        if (!_grains.TryGetValue(memberId, out var grain))
            _grains.Add(memberId, grain = new GroupMemberState(options, Now));
        return grain;
    }

    private void AssertNoneIsOwnedTwice()
    {
        var owned = Clients.SelectMany(client => client.Owned).Concat(Classics.SelectMany(client => client.Owned)).ToArray();
        Assert.Equal(owned.Length, owned.Distinct().Count());
    }

    private bool Chance(int oneIn) => !IsQuiet && random.Next(oneIn) == 0;
}

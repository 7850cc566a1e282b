using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>
/// A group with its state saved, its members' grains and its clients, and all that can go wrong between them: answers lost, coordinators that crash
/// before and after they saved or that go on beside their successor, grains of members that forget, nudges that nobody gets.
/// </summary>
internal sealed class ConsumerGroupWorld(Random random, ConsumerGroupOptions options)
{
    /// <summary>A cut-off silo notices that it was declared dead long before a session is over.</summary>
    private const int ZombieLifeMs = 3_000;

    private readonly Dictionary<string, GroupMemberState> _grains = [];
    private readonly Dictionary<string, int> _epochs = [];
    private readonly ConsumerGroupStickiness _stickiness = new();
    private ConsumerGroupState _saved = new();
    private ConsumerGroup _group = new(new ConsumerGroupState(), [], options, 0);
    private readonly HashSet<string> _misled = [];
    private (ConsumerGroup Group, int Tag, long Until)? _zombie;
    private int _tag;
    private int _savedTag;
    private bool _isQuiet;

    public long Now { get; private set; }

    /// <summary>Nothing goes wrong any more, and who was cut off has ended.</summary>
    public bool IsQuiet
    {
        get => _isQuiet;
        set => (_isQuiet, _zombie) = (value, value ? null : _zombie);
    }

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

    /// <summary>Members ask for an assignor in some schedules; in the others the default one is at work.</summary>
    public bool HasVotes { get; } = random.Next(2) == 0;

    public ConsumerGroupTallies Tallies { get; } = new();

    /// <summary>Two coordinators answer, or the one that does has not noticed yet that another has saved.</summary>
    public bool IsSplit => _zombie is not null || _tag != _savedTag;

    /// <summary>Another silo opens the group while the one that had it goes on: both have read the same state, and which of them is the first to save is left to chance.</summary>
    public void Split()
    {
        if (IsSplit)
            return;
        _zombie = (_group, _tag, Now + ZombieLifeMs);
        _misled.UnionWith(Clients.Where(_ => random.Next(3) == 0).Select(client => client.MemberId));
        Crash();
        SuspectAll();
    }

    /// <summary>From here on anybody may find itself removed.</summary>
    public void SuspectAll()
    {
        foreach (var client in Clients)
            client.MayBeRemoved = true;
        foreach (var client in Classics)
            client.MayBeRemoved = true;
    }

    public void ChangeTopics() => Settle(_group.ChangeTopics(Topics, Now));

    /// <summary>Time passes, and what is due in the group is done.</summary>
    public void Pass(int ms)
    {
        Now += ms;
        if (_zombie is { } zombie && (zombie.Until <= Now || (zombie.Group.NextTick <= Now && !SettleZombie(zombie.Group.Tick(Now)))))
            _zombie = null;
        while (_group.NextTick <= Now)
        {
            var step = _group.Tick(Now);
            if (!Settle(step))
                continue;
            foreach (var memberId in step.Overdue)
                Settle(_group.Heard(memberId, GrainOf(memberId).SilenceAt(Now), Now));
        }

        // Of two coordinators neither can say who is gone.
        if (IsSplit)
            return;
        foreach (var client in Clients)
            client.NoticeRemoval(_group.Members.Any(member => member.MemberId == client.MemberId));
        foreach (var client in Classics)
            client.NoticeRemoval(_group.Members.Any(member => member.MemberId == client.MemberId));
    }

    /// <summary>A commit at the epoch that the client has, and one at the epoch it had before; <see cref="ConsumerGroupTallies"/> counts them.</summary>
    public void Commit(ConsumerGroupClient client)
    {
        // Positions are written by who opened the group last, so that only its view counts; it may be an old one until it next saves.
        var error = _group.CheckCommit(client.MemberId, client.Epoch);
        var member = _group.Members.FirstOrDefault(one => one.MemberId == client.MemberId);
        if (_tag == _savedTag && error == ErrorCode.None && client.Epoch > 0)
        {
            Tallies.Commits++;
            Assert.True(client.Owned.IsSubsetOf(member!.Owned), $"{client.MemberId} may commit what is no longer its own");
        }

        if (client.FormerEpoch is not { } former || former >= client.Epoch || _tag != _savedTag)
            return;
        Tallies.StaleCommits++;
        Assert.Equal(
            member is null ? ErrorCode.UnknownMemberId : ErrorCode.StaleMemberEpoch,
            _group.CheckCommit(client.MemberId, former));
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
    public ErrorCode? BeatClassic(GroupCaller caller)
    {
        var step = _group.ClassicHeartbeat(caller, Now);
        return Settle(step) && !Chance(15) ? step.Reply!.Error : null;
    }

    public ErrorCode? Sync(GroupCaller caller, out ImmutableArray<PartitionId> assigned)
    {
        var error = _group.FindClassic(caller, out var member);
        assigned = member?.Assigned ?? [];
        if (error == ErrorCode.None)
            _group.Synced(caller.MemberId);
        return Chance(15) ? null : error;
    }

    public void Beat(ConsumerGroupClient client)
    {
        if (Chance(20))
            _grains.Remove(client.MemberId);
        var beat = client.Beat();
        var reply = Chance(15) ? null : IsMisled(client) ? AskZombie(beat) : Ask(GrainOf(client.MemberId), beat);
        client.MayBeRemoved |= IsSplit;
        if (reply is null || Chance(15))
            client.HearNothing();
        else
            client.Hear(reply);
        if (IsSplit)
            client.GoAstray();
        if (reply?.Error == ErrorCode.None && reply.MemberEpoch > 0 && !IsSplit)
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
        (_group, _tag) = (new ConsumerGroup(_saved, Topics, options, Now), _savedTag);
        Assert.True(_group.GroupEpoch >= groupEpoch && _group.AssignmentEpoch >= assignmentEpoch, "an epoch went back");
        _stickiness.Remember(_group);
        var step = _group.Tick(Now);
        _stickiness.Check(_group, Topics);
        if (step.Changed)
            Save(_group, ref _tag);
        foreach (var nudged in step.Nudged)
            Nudge(nudged);
    }

    public bool IsSettled() => _group.State is "Stable" or "Empty" && Clients.All(client => !client.IsAlive || client.IsSettled(_group))
        && Classics.All(client => !client.IsAlive || client.IsSettled(_group));

    /// <summary>Who has not got what the group says it has.</summary>
    public string DescribeUnsettled() => string.Join("; ", Alive.Select(client => (client.MemberId, client.Owned, Member: _group.Members.FirstOrDefault(member => member.MemberId == client.MemberId)))
        .Where(client => client.Member is null || !client.Owned.SetEquals(client.Member.Assigned))
        .Select(client => $"{client.MemberId} uses {client.Owned.Count}, has {client.Member?.Assigned.Length} at epoch {client.Member?.MemberEpoch}"));

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
        var step = _group.Heartbeat(grain.Complete(beat), Now);
        if (!Settle(step))
            return null;
        grain.Learn(step.Reply!);
        return step.Reply;
    }

    /// <summary>A client's way leads to the grain on the one silo or on the other; when the one has ended, to a new grain on the other.</summary>
    private bool IsMisled(ConsumerGroupClient client)
    {
        if (_zombie is not null)
            return _misled.Contains(client.MemberId);
        if (_misled.Remove(client.MemberId))
            _grains.Remove(client.MemberId);
        return false;
    }

    /// <summary>By way of who should have ended: what it changes it must save before it answers.</summary>
    private ConsumerGroupHeartbeatReply? AskZombie(ConsumerGroupHeartbeat beat)
    {
        var step = _zombie!.Value.Group.Heartbeat(beat, Now);
        if (SettleZombie(step))
            return step.Reply;
        _zombie = null;
        return null;
    }

    private bool SettleZombie(ConsumerGroupStep step)
    {
        var (group, tag, until) = _zombie!.Value;
        if (step.Changed && !Save(group, ref tag))
            return false;
        _zombie = (group, tag, until);
        Tallies.ZombieAnswers++;
        return true;
    }

    /// <summary>As grain storage does: who did not read what is kept now, writes nothing.</summary>
    private bool Save(ConsumerGroup group, ref int tag)
    {
        if (tag != _savedTag)
        {
            Tallies.SavesRefused++;
            return false;
        }

        Assert.True(group.GroupEpoch >= _saved.GroupEpoch && group.AssignmentEpoch >= _saved.AssignmentEpoch, "a kept epoch went back");
        _saved = group.Export();
        tag = ++_savedTag;
        return true;
    }

    /// <returns>False: the coordinator crashed, before or after it saved, and nobody hears of that step.</returns>
    private bool Settle(ConsumerGroupStep step)
    {
        if (_group.AssignmentEpoch != _saved.AssignmentEpoch && _group.AssignorName == RangeAssignor.Name)
            Tallies.Ranges++;
        _stickiness.Check(_group, Topics);
        if (Chance(30))
        {
            Crash();
            return false;
        }

        if (step.Changed && !Save(_group, ref _tag))
        {
            // A zombie was the first to save: this one reads what that was.
            SuspectAll();
            Crash();
            return false;
        }

        if (!step.Changed && _tag == _savedTag)
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
        // Who goes astray is fenced instead: see Commit.
        var owned = Clients.Where(client => !client.IsAstray).SelectMany(client => client.Owned).Concat(Classics.SelectMany(client => client.Owned)).ToArray();
        Assert.Equal(owned.Length, owned.Distinct().Count());
        Tallies.Astray += Clients.Count(client => client.IsAstray);
    }

    private bool Chance(int oneIn) => !IsQuiet && random.Next(oneIn) == 0;
}

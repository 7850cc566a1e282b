using Granary.Abstractions.Clients;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;
using Granary.Unit.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Clients;

/// <summary>
/// In-cluster members against the group's own machine. Answers are lost, the coordinator forgets what it has not saved, members join, leave and take their time
/// to give back while a heartbeat is on its way. Always: no partition is used by two.
/// </summary>
public sealed class GroupMembershipTests
{
    private static readonly Guid s_topicId = Guid.NewGuid();

    [Fact]
    public void RandomSchedules_KeepEveryPartitionToOneMember_AndShareAllOut() => Seeds.Run(300, random =>
    {
        var world = new World(random);
        for (var step = 0; step < 200; step++)
            world.Act();
        world.IsQuiet = true;
        var rounds = 0;
        do
        {
            world.Round();
            Assert.True(++rounds <= 40, $"not settled after {rounds} rounds: {world}");
        }
        while (!world.IsSettled());
    });

    [Fact]
    public void Fenced_OwnsNothing_AndJoinsAnewInAnotherLife()
    {
        var member = Member();
        var group = Group();
        Settle(member, group);
        Assert.Equal(World.Partitions, member.Owned.Count);
        Assert.Equal(MembershipNews.Lost, member.Hear(Refusal(member, ErrorCode.FencedMemberEpoch)));
        Assert.Empty(member.Owned);
        Assert.Equal((0, 1), (member.Epoch, member.Life));
        var again = member.Beat();
        Assert.True(again.IsFull);
        Assert.Equal(ConsumerGroupHeartbeat.Join, again.MemberEpoch);
    }

    [Fact]
    public void GroupThatIsGone_IsJoinedAnew_ButNotWhereItRefusesAJoin()
    {
        var member = Member();
        Assert.Equal(MembershipNews.Refused, member.Hear(Refusal(member, ErrorCode.GroupIdNotFound)));
        Settle(member, Group());
        Assert.Equal(MembershipNews.Lost, member.Hear(Refusal(member, ErrorCode.GroupIdNotFound)));
        Assert.Equal((ConsumerGroupHeartbeat.Join, 1), (member.Beat().MemberEpoch, member.Life));
    }

    [Theory]
    [InlineData(ErrorCode.NotCoordinator, "Unavailable")]
    [InlineData(ErrorCode.CoordinatorLoadInProgress, "Unavailable")]
    [InlineData(ErrorCode.UnreleasedInstanceId, "Unavailable")]
    [InlineData(ErrorCode.GroupMaxSizeReached, "Refused")]
    [InlineData(ErrorCode.InvalidRegularExpression, "Refused")]
    public void Refusal_KeepsWhatIsOwned_AndSaysAllNextTime(ErrorCode error, string news)
    {
        var member = Member();
        Settle(member, Group());
        Assert.False(member.Beat().IsFull);
        Assert.Equal(news, member.Hear(Refusal(member, error)).ToString());
        Assert.Equal(World.Partitions, member.Owned.Count);
        Assert.True(member.Beat().IsFull);
    }

    [Theory]
    [InlineData(null, ConsumerGroupHeartbeat.Leave)]
    [InlineData("place-1", ConsumerGroupHeartbeat.LeaveForAWhile)]
    public void Leave_SaysSo_OnlyWhereItMayBeAMember(string? instanceId, int epoch)
    {
        var member = Member(instanceId);
        Assert.Null(member.Leave());
        member.Beat();
        Assert.Equal(epoch, member.Leave()?.MemberEpoch);
        Assert.Null(member.Leave());
    }

    [Fact]
    public void PositionsToCommit_AreThoseOfOwnedPartitions_ThatAreNews()
    {
        PartitionId first = new(s_topicId, 0), second = new(s_topicId, 1), foreign = new(s_topicId, 2);
        var positions = new PositionsToCommit();
        positions.Begin(first, new PositionToCommit(5, 2, "kept"));
        positions.Begin(second, new PositionToCommit(-1));
        var at = new Dictionary<PartitionId, PositionToCommit> { [first] = new(5), [second] = new(0), [foreign] = new(9) };
        Assert.Equal([(second, 0L)], positions.Due(at).Select(pair => (pair.Key, pair.Value.Offset)));
        at[first] = new PositionToCommit(5, 2, "kept");
        positions.Committed(at);
        Assert.Empty(positions.Due(at));
        at[first] = new PositionToCommit(5, 2, "other");
        Assert.Equal([first], positions.Due(at).Keys);
        at[first] = new PositionToCommit(3);
        Assert.Equal([(first, 3L)], positions.Due(at).Select(pair => (pair.Key, pair.Value.Offset)));
        positions.End(first);
        Assert.Empty(positions.Due(at));
    }

    [Fact]
    public void Options_OutOfBounds_AreNamed()
    {
        Assert.Contains("MaxProcessingTime is 00:00:00", Message(new SubscriptionOptions { MaxProcessingTime = TimeSpan.Zero }), StringComparison.Ordinal);
        Assert.Contains("AutoCommitInterval is -", Message(new SubscriptionOptions { AutoCommitInterval = TimeSpan.FromSeconds(-1) }), StringComparison.Ordinal);
        Assert.Contains("InstanceId is ", Message(new SubscriptionOptions { InstanceId = " " }), StringComparison.Ordinal);
        new SubscriptionOptions { AutoCommitInterval = null }.Validate();

        static string Message(SubscriptionOptions wrong) => Assert.Throws<ArgumentException>(wrong.Validate).Message;
    }

    private static GroupMembership Member(string? instanceId = null) =>
        new(new GroupSubscription(Guid.NewGuid().ToString(), instanceId, ["events"], "", null, "test", TimeSpan.FromHours(1)));

    private static ConsumerGroup Group() => new(new ConsumerGroupState(), [new ConsumerGroupTopic("events", s_topicId, World.Partitions)], World.Options, 0);

    private static ConsumerGroupHeartbeatReply Refusal(GroupMembership member, ErrorCode error) => new(error, null, member.MemberId, 0, TimeSpan.Zero, null, null);

    private static void Settle(GroupMembership member, ConsumerGroup group)
    {
        for (var round = 0; round < 4; round++)
        {
            member.Hear(group.Heartbeat(member.Beat(), round * 1_000).Reply!);
            member.TakeUp();
        }
    }

    /// <summary>A member, and the answer that is on its way to it.</summary>
    private sealed class Place(GroupMembership member)
    {
        public GroupMembership Member => member;

        public bool IsWaiting { get; set; }

        public ConsumerGroupHeartbeatReply? Answer { get; set; }
    }

    private sealed class World(Random random)
    {
        public const int Partitions = 9;

        private readonly List<Place> _places = [];
        private ConsumerGroup _group = Group();
        private ConsumerGroupState _saved = new();
        private long _now;

        public static ConsumerGroupOptions Options { get; } = new()
        {
            SessionTimeout = TimeSpan.FromHours(1),
            MaxRebalanceTimeout = TimeSpan.FromHours(2),
            AssignmentInterval = TimeSpan.FromMilliseconds(100),
        };

        public bool IsQuiet { get; set; }

        public void Act()
        {
            _now += random.Next(60);
            _group.Tick(_now);
            var place = _places.Count > 0 ? _places[random.Next(_places.Count)] : null;
            switch (random.Next(20))
            {
                case 0 when _places.Count < 5:
                    _places.Add(new Place(Member()));
                    break;
                case 1 when place is not null:
                    if (place.Member.Leave() is { } leaving)
                        Ask(leaving);
                    _places.Remove(place);
                    break;
                case 2:
                    _group = new ConsumerGroup(_saved, [new ConsumerGroupTopic("events", s_topicId, Partitions)], Options, _now);
                    break;
                case < 9 when place is not null:
                    Send(place);
                    break;
                case < 15 when place is not null:
                    Deliver(place);
                    break;
                default:
                    if (place is not null)
                        Work(place.Member);
                    break;
            }

            AssertNoneIsUsedTwice();
        }

        public void Round()
        {
            _now += 200;
            _group.Tick(_now);
            if (_places.Count == 0)
                _places.Add(new Place(Member()));
            foreach (var place in _places)
            {
                Deliver(place);
                Send(place);
                Deliver(place);
                Work(place.Member);
                AssertNoneIsUsedTwice();
            }
        }

        public bool IsSettled() => _group.State == "Stable"
            && _places.All(place => !place.Member.HasWork && !place.Member.IsUrgent)
            && _places.Sum(place => place.Member.Owned.Count) == Partitions;

        public override string ToString() => $"{_group.State}: {string.Join(", ", _places.Select(place => place.Member.Owned.Count))}";

        private void Send(Place place)
        {
            if (place.IsWaiting)
                return;
            var beat = place.Member.Beat();
            place.Answer = Chance() ? null : Ask(beat);
            if (Chance())
                place.Answer = null;
            place.IsWaiting = true;
        }

        private void Deliver(Place place)
        {
            if (!place.IsWaiting)
                return;
            place.IsWaiting = false;
            if (place.Answer is { } answer)
                Assert.Equal(MembershipNews.None, place.Member.Hear(answer));
            else
                place.Member.HearNothing();
        }

        /// <summary>Gives back in its own time, and at times does not come to take up before the next heartbeat.</summary>
        private void Work(GroupMembership member)
        {
            member.GiveBack(member.ToGiveBack);
            if (IsQuiet || random.Next(3) > 0)
                member.TakeUp();
        }

        private ConsumerGroupHeartbeatReply? Ask(ConsumerGroupHeartbeat beat)
        {
            var step = _group.Heartbeat(beat, _now);
            _saved = _group.Export();
            return step.Reply;
        }

        private void AssertNoneIsUsedTwice()
        {
            var used = _places.SelectMany(place => place.Member.Owned).ToArray();
            Assert.Equal(used.Length, used.Distinct().Count());
        }

        private bool Chance() => !IsQuiet && random.Next(8) == 0;
    }
}

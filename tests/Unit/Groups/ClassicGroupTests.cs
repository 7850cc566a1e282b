using Granary.Abstractions.Groups;
using Granary.Grains.Groups;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Groups;

/// <summary>What a member is answered, case by case, with the codes that Kafka's coordinator gives.</summary>
public sealed class ClassicGroupTests
{
    private static readonly TimeSpan s_session = TimeSpan.FromSeconds(10);

    private readonly GroupOptions _options = new() { InitialRebalanceDelay = TimeSpan.Zero };
    private readonly ClassicGroup _group;
    private TimeSpan _now;
    private long _tickets;
    private int _ids;

    public ClassicGroupTests() => _group = new ClassicGroup(_options);

    [Fact]
    public void Join_WithoutAnIdFromVersion4_IsGivenOneFirst()
    {
        var first = Join("", requiresKnownId: true);
        var second = Join(first!.MemberId, requiresKnownId: true);

        Assert.Equal(ErrorCode.MemberIdRequired, first.Error);
        Assert.Equal((ErrorCode.None, 1, first.MemberId), (second!.Error, second.Generation, second.LeaderId));
    }

    [Fact]
    public void Join_ThatCannotBe_IsRefused()
    {
        Assert.Equal(ErrorCode.InvalidSessionTimeout, Join("", session: TimeSpan.FromSeconds(1))!.Error);
        Assert.Equal(ErrorCode.InvalidSessionTimeout, Join("", session: TimeSpan.FromHours(1))!.Error);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, Join("", type: "")!.Error);
        Assert.Equal(ErrorCode.UnknownMemberId, Join("nobody")!.Error);
        Join("");
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, Join("", type: "connect")!.Error);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, Join("", protocol: "sticky")!.Error);
        Assert.Equal(ErrorCode.InvalidRequest, Join("", metadata: new byte[_options.MaxMetadataBytes + 1])!.Error);
        _options.MaxMembers = 1;
        Assert.Equal(ErrorCode.GroupMaxSizeReached, Join("")!.Error);
    }

    [Fact]
    public void Join_BeyondTheBytesOfTheGroup_IsRefused_AlsoOfAMemberThatWantsMore()
    {
        _options.MaxGroupBytes = 10_000;
        var first = Join("", metadata: new byte[6_000])!;
        Assert.Equal(ErrorCode.GroupMaxSizeReached, Join("", metadata: new byte[6_000])!.Error);
        Assert.Equal(ErrorCode.GroupMaxSizeReached, Join(first.MemberId, metadata: new byte[12_000])!.Error);
        Assert.Equal(ErrorCode.None, Join(first.MemberId, metadata: new byte[9_000])!.Error);
        Assert.InRange(_group.Members.KeptBytes, 9_000, 10_000);

        // What it holds already, a member may always hold; and one that leaves makes room.
        _options.MaxGroupBytes = 1_000;
        Assert.Equal(ErrorCode.None, Join(first.MemberId, metadata: new byte[9_000])!.Error);
        _group.Leave(new LeavingMember(first.MemberId, null), _now);
        Assert.Equal(0, _group.Members.KeptBytes);
    }

    [Fact]
    public void Sync_BeyondTheBytesOfTheGroup_IsRefused()
    {
        _options.MaxGroupBytes = 10_000;
        var leader = Join("", metadata: new byte[6_000])!;
        Assert.Equal(ErrorCode.UnknownServerError, Sync(leader.MemberId, 1, share: new byte[6_000])!.Error);
        Assert.Equal(ErrorCode.None, Sync(leader.MemberId, 1, share: new byte[3_000])!.Error);
        Assert.InRange(_group.Members.KeptBytes, 9_000, 10_000);
    }

    [Fact]
    public void Join_OfAnEmptyGroup_WaitsTheInitialDelayAndLongerWhileMoreCome()
    {
        _options.InitialRebalanceDelay = TimeSpan.FromSeconds(3);

        Assert.Null(Join(""));
        Tick(2);
        Assert.Null(Join(""));
        Assert.Empty(Tick(1));
        var answers = Tick(3);

        Assert.Equal([1, 1], answers.Select(answer => answer.Join!.Generation));
        Assert.Equal([2, 0], answers.Select(answer => answer.Join!.Members.Length));
    }

    [Fact]
    public void Join_OfAGroupThatAllHaveLeft_WaitsLongerWhileMoreComeToo()
    {
        _group.Leave(new LeavingMember(Join("")!.MemberId, null), _now);
        _options.InitialRebalanceDelay = TimeSpan.FromSeconds(3);

        Join("");
        Tick(2);
        Join("");
        Assert.Empty(Tick(1));

        Assert.Equal([3, 3], Tick(3).Select(answer => answer.Join!.Generation));
    }

    [Fact]
    public void Heartbeat_TellsWhatIsWrong()
    {
        var member = Join("")!.MemberId;

        Assert.Equal(ErrorCode.UnknownMemberId, _group.Heartbeat(new GroupCaller("nobody", null, 1), _now));
        Assert.Equal(ErrorCode.IllegalGeneration, _group.Heartbeat(new GroupCaller(member, null, 9), _now));
        Assert.Equal(ErrorCode.None, _group.Heartbeat(new GroupCaller(member, null, 1), _now));
        Sync(member, 1);
        Join("");
        Assert.Equal(ErrorCode.RebalanceInProgress, _group.Heartbeat(new GroupCaller(member, null, 1), _now));
    }

    [Fact]
    public void Sync_WithAnotherProtocol_IsRefused_AndDuringARebalanceSentBack()
    {
        var member = Join("")!.MemberId;

        Assert.Equal(ErrorCode.InconsistentGroupProtocol, Sync(member, 1, type: "connect")!.Error);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, Sync(member, 1, protocol: "sticky")!.Error);
        Assert.Equal(ErrorCode.IllegalGeneration, Sync(member, 2)!.Error);
        Assert.Equal(ErrorCode.None, Sync(member, 1)!.Error);
        Join("");
        Assert.Equal(ErrorCode.RebalanceInProgress, Sync(member, 1)!.Error);
    }

    [Fact]
    public void StaticMember_UnderItsFormerId_IsFenced()
    {
        var former = Join("", instance: "one")!.MemberId;
        Sync(former, 1);

        var again = Join("", instance: "one");

        Assert.Equal((ErrorCode.None, 1), (again!.Error, again.Generation));
        Assert.NotEqual(former, again.MemberId);
        Assert.Equal(ErrorCode.FencedInstanceId, _group.Heartbeat(new GroupCaller(former, "one", 1), _now));
        Assert.Equal(ErrorCode.FencedInstanceId, _group.Leave(new LeavingMember(former, "one"), _now));
        Assert.Equal(ErrorCode.None, _group.Leave(new LeavingMember("", "one"), _now));
        Assert.Equal(ErrorCode.UnknownMemberId, _group.Leave(new LeavingMember("", "one"), _now));
        Assert.Equal(GroupState.Empty, _group.State);
    }

    /// <summary>Its share took a partition away, which others are given when it joins once more. Another process in its place would not do so, and nobody would read that partition.</summary>
    [Theory]
    [InlineData(false, GroupState.Stable)]
    [InlineData(true, GroupState.CompletingRebalance)]
    public void StaticMember_ThatIsRestartedBeforeItHasGivenBack_IsJoinedByAll(bool losesOne, GroupState expected)
    {
        var owned = ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(3, ["t"], null, [new("t", [0, 1])], 1, null));
        var share = ConsumerGroupProtocolBytes.Write(new ConsumerGroupAssignment(3, [new("t", losesOne ? [0] : [0, 1])], null));
        Sync(Join("", instance: "one", metadata: owned)!.MemberId, 1, share: share);

        var again = Join("", instance: "one", metadata: ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(3, ["t"], null, [], -1, null)));

        Assert.Equal((expected, ErrorCode.None, losesOne ? 2 : 1), (_group.State, again!.Error, again.Generation));
    }

    /// <summary>Two processes under one instance id: the one whose call waits hears at once that the other took its place.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void StaticMember_ThatWaitsForAnAnswer_IsFencedAtOnce(bool syncs)
    {
        var leader = Join("")!.MemberId;
        Sync(leader, 1);
        Assert.Null(Join("", instance: "one"));
        var waiting = _tickets;
        if (syncs)
        {
            Join(leader);
            Assert.Null(Sync(_group.Members.IdOfInstance("one")!, 2));
            waiting = _tickets;
        }

        var request = new JoinRequest("", "one", "c", "/h", s_session, s_session, "consumer", [new GroupProtocol("range", ClassicClient.Subscribed("t"))], false, false);
        _group.Join(++_tickets, request, "other", _now);

        var answer = _group.TakeAnswers().Single(answer => answer.Ticket == waiting);
        Assert.Equal(ErrorCode.FencedInstanceId, syncs ? answer.Sync!.Error : answer.Join!.Error);
    }

    [Theory]
    [InlineData(-1, "", ErrorCode.UnknownMemberId)]
    [InlineData(1, "nobody", ErrorCode.UnknownMemberId)]
    [InlineData(7, null, ErrorCode.IllegalGeneration)]
    [InlineData(1, null, ErrorCode.RebalanceInProgress)]
    public void Commit_WhileSharesAreDecided_IsRefused(int generation, string? memberId, ErrorCode expected)
    {
        Assert.Equal(ErrorCode.None, _group.CheckCommit(new GroupCaller("", null, -1), _now));
        Assert.Equal(ErrorCode.IllegalGeneration, _group.CheckCommit(new GroupCaller("m", null, 3), _now));
        var member = Join("")!.MemberId;

        Assert.Equal(expected, _group.CheckCommit(new GroupCaller(memberId ?? member, null, generation), _now));
    }

    [Fact]
    public void LeaderThatVanishes_BeforeItHasShared_IsReplaced()
    {
        var leader = Join("")!.MemberId;
        Sync(leader, 1);
        Join("");
        Assert.Equal(2, Join(leader)!.Generation);
        var follower = _group.Members.All[1].MemberId;
        Assert.Null(Sync(follower, 2));

        var answers = Tick(s_session.TotalSeconds);

        Assert.Equal(ErrorCode.RebalanceInProgress, Assert.Single(answers).Sync!.Error);
        var next = Join(follower);
        Assert.Equal((3, follower), (next!.Generation, next.LeaderId));
    }

    [Fact]
    public void Restored_KeepsMembersGenerationAndShares()
    {
        var member = Join("")!.MemberId;
        Sync(member, 1);
        var restored = ClassicGroup.Restore(_options, _group.ToState(), TimeSpan.FromHours(1));

        Assert.Equal(ErrorCode.None, restored.Heartbeat(new GroupCaller(member, null, 1), TimeSpan.FromHours(1)));
        Assert.Equal(TimeSpan.FromHours(1) + s_session, restored.NextDeadline);
        Assert.Equal((GroupState.Stable, 1), (restored.State, restored.Generation));
        Assert.Equal(7, restored.Members.All[0].Assignment.Span[0]);
    }

    private JoinResult? Join(
        string memberId, string? instance = null, bool requiresKnownId = false, TimeSpan? session = null, string type = "consumer", string protocol = "range", byte[]? metadata = null)
    {
        var ticket = ++_tickets;
        var request = new JoinRequest(
            memberId, instance, "c", "/h", session ?? s_session, TimeSpan.FromSeconds(30), type, [new GroupProtocol(protocol, metadata ?? ClassicClient.Subscribed("t"))], requiresKnownId, false);
        _group.Join(ticket, request, $"m{++_ids}", _now);
        return _group.TakeAnswers().FirstOrDefault(answer => answer.Ticket == ticket).Join;
    }

    private SyncResult? Sync(string memberId, int generation, string type = "consumer", string protocol = "range", byte[]? share = null)
    {
        var ticket = ++_tickets;
        _group.Sync(ticket, new SyncRequest(new GroupCaller(memberId, null, generation), type, protocol, [new MemberAssignment(memberId, share ?? [7])]), _now);
        return _group.TakeAnswers().FirstOrDefault(answer => answer.Ticket == ticket).Sync;
    }

    private IReadOnlyList<ClassicAnswer> Tick(double seconds)
    {
        _now += TimeSpan.FromSeconds(seconds);
        _group.Tick(_now);
        return _group.TakeAnswers();
    }
}

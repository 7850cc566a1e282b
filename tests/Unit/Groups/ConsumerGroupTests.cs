using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>The group's answers, one rule at a time.</summary>
public sealed class ConsumerGroupTests
{
    private static readonly ConsumerGroupTopic s_orders = new("orders", new Guid("00000000-0000-0000-0000-0000000000a1"), 4);
    private static readonly ConsumerGroupTopic s_events = new("events", new Guid("00000000-0000-0000-0000-0000000000a2"), 2);
    private static readonly ConsumerGroupOptions s_options = new() { AssignmentInterval = TimeSpan.Zero, MaxMembers = 3 };

    private readonly ConsumerGroup _group = new(new ConsumerGroupState(), [s_orders, s_events], s_options, 0);

    [Fact]
    public void Join_OfTheFirstMember_GetsAll()
    {
        var reply = Beat(Join("a"));
        Assert.Equal((ErrorCode.None, 1, "a"), (reply.Error, reply.MemberEpoch, reply.MemberId));
        Assert.Equal(Of(s_orders, 0, 1, 2, 3), reply.Assignment);
        Assert.Equal("Stable", _group.State);
        Assert.Null(Beat(At("a", 1)).Assignment);
    }

    /// <summary>A group that was read back, and whose topics have changed since, is to be saved; but not for one who was not let in.</summary>
    [Fact]
    public void Join_ThatIsRefused_ChangesNothing()
    {
        Beat(Join("a"));
        var restored = new ConsumerGroup(_group.Export(), [s_orders with { PartitionCount = 5 }], s_options, 0);
        var wrong = Join("b") with { SubscribedRegex = "(" };

        Assert.Equal(ErrorCode.InvalidRegularExpression, restored.Refuses(wrong)!.Value.Error);
        var step = restored.Heartbeat(wrong, 0);

        Assert.Equal((ErrorCode.InvalidRegularExpression, false), (step.Reply!.Error, step.Changed));
        Assert.Null(restored.Refuses(Join("b")));
        Assert.Single(restored.Members);
        Assert.True(restored.Tick(0).Changed);
    }

    [Fact]
    public void Join_OfTheSecond_WaitsUntilTheFirstGaveBack()
    {
        Beat(Join("a"));
        var joined = Beat(Join("b"));
        Assert.Equal(2, joined.MemberEpoch);
        Assert.Empty(joined.Assignment!.Value);
        Assert.Equal("Reconciling", _group.State);
        var revoked = Beat(At("a", 1));
        Assert.Equal((1, ConsumerGroupMemberState.UnrevokedPartitions), (revoked.MemberEpoch, revoked.View!.State));
        var kept = revoked.Assignment!.Value;
        Assert.Equal(2, kept.Length);
        Assert.Null(Beat(At("b", 2)).Assignment);
        var acknowledged = _group.Heartbeat(At("a", 1) with { OwnedPartitions = kept }, 0);
        Assert.Equal(2, acknowledged.Reply!.MemberEpoch);
        Assert.Equal(["b"], acknowledged.Nudged);
        var given = Beat(At("b", 2)).Assignment!.Value;
        Assert.Equal(Of(s_orders, 0, 1, 2, 3), [.. kept.Concat(given).Order(PartitionOrder.Instance)]);
        Assert.Equal("Stable", _group.State);
    }

    [Fact]
    public void Heartbeat_BeforeAnAssignmentIsTakenUp_GivesNothingOfItBack()
    {
        Beat(Join("a"));
        Beat(Join("b"));
        var says = Beat(Join("a") with { MemberEpoch = 1 });
        Assert.Equal((1, ConsumerGroupMemberState.UnrevokedPartitions), (says.MemberEpoch, says.View!.State));
        var kept = says.Assignment!.Value;
        Assert.Equal(2, kept.Length);
        Assert.Null(Beat(At("b", 2)).Assignment);
        Assert.Equal(1, Beat(At("a", 1) with { OwnedPartitions = Of(s_orders, 0, 1, 2, 3) }).MemberEpoch);
        Assert.Null(Beat(At("b", 2)).Assignment);
        Assert.Equal(2, Beat(At("a", 1) with { OwnedPartitions = kept }).MemberEpoch);
        Assert.Equal(2, Beat(At("b", 2)).Assignment!.Value.Length);
    }

    [Fact]
    public void Heartbeat_WithAnotherEpoch_IsFenced()
    {
        Beat(Join("a"));
        Assert.Equal(ErrorCode.FencedMemberEpoch, Beat(At("a", 2)).Error);
        Assert.Equal(ErrorCode.UnknownMemberId, Beat(At("b", 1)).Error);
        Assert.Equal(ErrorCode.UnknownMemberId, Beat(At("b", -1)).Error);
    }

    [Fact]
    public void Heartbeat_WithThePreviousEpoch_IsTakenIfItOwnsNoMoreThanItsOwn()
    {
        Beat(Join("a"));
        _group.ChangeTopics([s_orders with { PartitionCount = 5 }], 0);
        Assert.Equal(2, Beat(At("a", 1)).MemberEpoch);
        Assert.Equal(ErrorCode.FencedMemberEpoch, Beat(At("a", 1)).Error);
        Assert.Equal(ErrorCode.FencedMemberEpoch, Beat(At("a", 1) with { OwnedPartitions = Of(s_events, 0) }).Error);
        var again = Beat(At("a", 1) with { OwnedPartitions = Of(s_orders, 0, 1) });
        Assert.Equal((ErrorCode.None, 2), (again.Error, again.MemberEpoch));
        Assert.Equal(5, again.Assignment!.Value.Length);
    }

    [Fact]
    public void StaticMember_ThatLeavesForAWhile_KeepsItsPartitionsUnderAnotherMemberId()
    {
        Beat(Join("a") with { InstanceId = "i" });
        Beat(Join("b"));
        var kept = Beat(At("a", 1)).Assignment!.Value;
        Beat(At("a", 1) with { OwnedPartitions = kept });
        Assert.Equal(ErrorCode.UnreleasedInstanceId, Beat(Join("a2") with { InstanceId = "i" }).Error);
        Assert.Equal(-2, Beat(At("a", -2) with { InstanceId = "i" }).MemberEpoch);
        Assert.Equal(2, Beat(At("b", 2)).View!.Assigned.Length);
        var epoch = _group.GroupEpoch;
        var back = Beat(Join("a2") with { InstanceId = "i" });
        Assert.Equal(kept, back.Assignment);
        Assert.Equal(epoch, _group.GroupEpoch);
        Assert.Equal(ErrorCode.FencedInstanceId, Beat(At("a", 2) with { InstanceId = "i" }).Error);
        Assert.Equal(ErrorCode.UnknownMemberId, Beat(At("a", 2)).Error);
        Assert.Equal(ErrorCode.UnknownMemberId, Beat(At("c", 2) with { InstanceId = "j" }).Error);
    }

    [Fact]
    public void StaticMember_ThatDoesNotComeBack_IsRemovedAfterItsSession()
    {
        Beat(Join("a") with { InstanceId = "i" });
        Beat(At("a", -2) with { InstanceId = "i" });
        var late = (long)s_options.SessionTimeout.TotalMilliseconds;
        Assert.Empty(_group.Tick(late - 1).Overdue);
        Assert.NotEqual("Empty", _group.State);
        Assert.Empty(_group.Tick(late).Overdue);
        Assert.Equal("Empty", _group.State);
    }

    [Fact]
    public void Session_IsOverOnlyWhenTheMembersGrainHasNotHeardOfItEither()
    {
        Beat(Join("a"));
        Assert.Empty(_group.Tick(44_999).Overdue);
        Assert.Equal(["a"], _group.Tick(45_000).Overdue);
        _group.Heard("a", TimeSpan.FromSeconds(10), 45_000);
        Assert.Empty(_group.Tick(79_999).Overdue);
        Assert.Equal(80_000, _group.NextTick);
        Assert.Equal(["a"], _group.Tick(80_000).Overdue);
        var step = _group.Heard("a", TimeSpan.FromSeconds(45), 80_000);
        Assert.True(step.Changed);
        Assert.Equal(["a"], step.Nudged);
        Assert.Equal(ErrorCode.UnknownMemberId, Beat(At("a", 1)).Error);
    }

    [Fact]
    public void RebalanceTimeout_RemovesWhoDoesNotGiveBack()
    {
        Beat(Join("a") with { RebalanceTimeout = TimeSpan.FromSeconds(5) });
        Beat(Join("b"));
        Beat(At("a", 1));
        Assert.Equal(5_000, _group.NextTick);
        Assert.Equal(["a", "b"], _group.Tick(5_000).Nudged);
        Assert.Equal(4, Beat(At("b", 2)).Assignment!.Value.Length);
        Assert.Equal(ErrorCode.UnknownMemberId, Beat(At("a", 1)).Error);
    }

    [Fact]
    public void Join_BeyondTheMaximum_IsRefused()
    {
        foreach (var memberId in new[] { "a", "b", "c" })
            Beat(Join(memberId));
        Assert.Equal(ErrorCode.GroupMaxSizeReached, Beat(Join("d")).Error);
        Assert.Equal(ErrorCode.None, Beat(Join("c")).Error);
    }

    [Fact]
    public void Heartbeat_ThatIsNone_IsRefused()
    {
        foreach (var wrong in new[]
        {
            Join(" "),
            Join("a") with { InstanceId = "" },
            Join("a") with { RackId = "" },
            Join("a") with { RebalanceTimeout = null },
            Join("a") with { OwnedPartitions = null },
            Join("a") with { OwnedPartitions = Of(s_orders, 0) },
            Join("a") with { SubscribedTopics = null },
            Join(new string('a', 256)),
            At("a", -2),
            At("a", -3),
        })
            Assert.Equal(ErrorCode.InvalidRequest, Beat(wrong).Error);
        Assert.Equal(ErrorCode.UnsupportedAssignor, Beat(Join("a") with { ServerAssignor = "sticky" }).Error);
        Assert.Equal("Empty", _group.State);
        Assert.Equal(0, _group.GroupEpoch);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("a)(b")]
    [InlineData("(?=a)b")]
    [InlineData("(a)\\1")]
    [InlineData("(a{1000}){1000}")]
    [InlineData("a{9999999999}")]
    public void Regex_ThatIsNone_IsRefused(string regex) =>
        Assert.Equal(ErrorCode.InvalidRegularExpression, Beat(Join("a") with { SubscribedTopics = null, SubscribedRegex = regex }).Error);

    [Fact]
    public void Regex_MatchesWholeNamesAndTopicsToCome()
    {
        Assert.Equal(6, Beat(Join("a") with { SubscribedTopics = [], SubscribedRegex = "(?P<name>order|event)s?" }).Assignment!.Value.Length);
        var step = _group.ChangeTopics([s_orders, s_events, new("order", Guid.NewGuid(), 1), new("orders2", Guid.NewGuid(), 1)], 0);
        Assert.Equal(["a"], step.Nudged);
        Assert.Equal(7, Beat(At("a", 1)).Assignment!.Value.Length);
        Assert.Empty(Beat(At("a", 2) with { SubscribedRegex = "" }).View!.Assigned);
    }

    [Fact]
    public void Topics_ThatNobodyIsSubscribedTo_ChangeNothing()
    {
        Beat(Join("a"));
        Assert.False(_group.ChangeTopics([s_orders, s_events with { PartitionCount = 9 }], 0).Changed);
        Assert.Equal(1, _group.GroupEpoch);
        Assert.True(_group.ChangeTopics([], 0).Changed);
        Assert.Empty(Beat(At("a", 1)).Assignment!.Value);
    }

    [Fact]
    public void Assignor_IsTheOneMostMembersAskFor()
    {
        Beat(Join("a"));
        Assert.Equal("uniform", _group.AssignorName);
        Beat(Join("b") with { ServerAssignor = "range" });
        Assert.Equal("range", _group.AssignorName);
        Beat(At("b", -1));
        Assert.Equal("uniform", _group.AssignorName);
    }

    [Fact]
    public void AssignmentInterval_MakesOneTargetOfManyJoins()
    {
        var group = new ConsumerGroup(new ConsumerGroupState(), [s_orders], new ConsumerGroupOptions(), 0);
        group.Heartbeat(Join("a"), 0);
        for (var member = 0; member < 3; member++)
            Assert.Equal(1, group.Heartbeat(Join($"m{member}"), 10).Reply!.MemberEpoch);
        Assert.Equal((4, 1, 100L), (group.GroupEpoch, group.AssignmentEpoch, group.NextTick));
        Assert.Equal(["a", "m0", "m1", "m2"], group.Tick(100).Nudged);
        Assert.Equal(4, group.AssignmentEpoch);
    }

    [Fact]
    public void Heartbeat_ThatAddsBeyondTheBytesOfTheGroup_IsRefused()
    {
        var options = s_options with { MaxGroupBytes = 3_000 };
        var group = new ConsumerGroup(new ConsumerGroupState(), [s_orders], options, 0);
        string[] many = [.. Enumerable.Range(0, 20).Select(index => new string('t', 48) + $"{index:00}")];
        string[] more = [.. many, .. many.Select(name => name + "x"), .. many.Select(name => name + "y")];
        var alone = group.Heartbeat(Join("a") with { SubscribedTopics = [.. many] }, 0).Reply!;
        Assert.Equal(ErrorCode.None, alone.Error);
        Assert.InRange(group.KeptBytes, 1_000, 2_000);

        var before = group.KeptBytes;
        var refused = group.Heartbeat(Join("b") with { SubscribedTopics = [.. more] }, 0);
        Assert.Equal((ErrorCode.GroupMaxSizeReached, false), (refused.Reply!.Error, refused.Changed));
        Assert.EndsWith("bytes, 3000 is the most (MaxGroupBytes).", refused.Reply.Message, StringComparison.Ordinal);
        Assert.Equal((before, 1), (group.KeptBytes, group.Members.Count));
        Assert.Equal(ErrorCode.None, group.Heartbeat(Join("b"), 0).Reply!.Error);
        var longer = At("a", alone.MemberEpoch) with { SubscribedTopics = [.. more] };
        Assert.Equal(ErrorCode.GroupMaxSizeReached, group.Heartbeat(longer, 0).Reply!.Error);
        Assert.Equal(ErrorCode.None, group.Heartbeat(longer with { SubscribedTopics = ["orders"] }, 0).Reply!.Error);

        // A restored group counts the same; one that all have left counts nothing.
        Assert.Equal(group.KeptBytes, new ConsumerGroup(group.Export(), [s_orders], options, 0).KeptBytes);
        group.Heartbeat(At("a", -1), 0);
        group.Heartbeat(At("b", -1), 0);
        Assert.Equal(0, group.KeptBytes);
    }

    [Fact]
    public void Commit_IsTakenAtTheMembersEpochOnly()
    {
        Assert.Equal(ErrorCode.None, _group.CheckCommit("", -1));
        Beat(Join("a"));
        Assert.Equal(ErrorCode.None, _group.CheckCommit("a", 1));
        Assert.Equal(ErrorCode.StaleMemberEpoch, _group.CheckCommit("a", 0));
        Assert.Equal(ErrorCode.UnknownMemberId, _group.CheckCommit("b", 1));
        Assert.Equal(ErrorCode.UnknownMemberId, _group.CheckCommit("", -1));
    }

    [Fact]
    public void Commit_ByACallerWithoutMemberEpochs_IsForMembersOfTheClassicProtocol()
    {
        Beat(Join("a"));
        Assert.Equal(ErrorCode.UnsupportedVersion, _group.CheckCommit("a", 1, knowsMemberEpochs: false));
        Assert.Equal(ErrorCode.UnsupportedVersion, _group.CheckCommit("a", 0, knowsMemberEpochs: false));
        Assert.Equal(ErrorCode.UnknownMemberId, _group.CheckCommit("b", 1, knowsMemberEpochs: false));
        var classic = Beat(Join("c") with { Classic = new ConsumerGroupClassicMember(TimeSpan.FromSeconds(10), []) });
        Assert.Equal(ErrorCode.None, _group.CheckCommit("c", classic.MemberEpoch, knowsMemberEpochs: false));
        Assert.Equal(ErrorCode.IllegalGeneration, _group.CheckCommit("c", classic.MemberEpoch + 1, knowsMemberEpochs: false));
    }

    [Fact]
    public void Fetch_OfAMember_IsAnsweredAtItsEpochOnly()
    {
        Assert.Equal(ErrorCode.UnknownMemberId, _group.CheckFetch("a", -1));
        Beat(Join("a"));
        Assert.Equal(ErrorCode.None, _group.CheckFetch("a", 1));
        Assert.Equal(ErrorCode.StaleMemberEpoch, _group.CheckFetch("a", 0));
        Assert.Equal(ErrorCode.UnknownMemberId, _group.CheckFetch("", 1));
    }

    [Fact]
    public void MembersGrain_AnswersAloneUntilThereIsNews()
    {
        var view = new GroupMemberState(s_options, 0);
        Assert.Null(view.Take(Join("a"), 0));
        view.Learn(Beat(Join("a")));
        Assert.Equal(1, view.Take(At("a", 1), 500)!.MemberEpoch);
        Assert.Equal(4, view.Take(Join("a") with { MemberEpoch = 1 }, 600)!.Assignment!.Value.Length);
        Assert.Equal(TimeSpan.FromMilliseconds(400), view.SilenceAt(1_000));
        Assert.Null(view.Take(At("a", 1) with { SubscribedTopics = ["events"] }, 700));

        // Nothing is answered alone before the group has answered, nor when a nudge came in meanwhile.
        Assert.Null(view.Take(At("a", 1), 800));
        view.Nudge();
        view.Learn(Beat(At("a", 1)));
        Assert.Null(view.Take(At("a", 1), 900));
        view.Learn(Beat(At("a", 1)));
        Assert.NotNull(view.Take(At("a", 1), 1_000));
        Assert.Null(view.Take(At("a", 1), 15_900));
        view.Learn(Beat(At("a", 7)));
        Assert.Null(view.Take(At("a", 1), 16_000));
    }

    [Fact]
    public void MembersGrain_AnswersBesideItsCalls_WithoutTakingOneUp()
    {
        var view = new GroupMemberState(s_options, 0);
        Assert.Null(view.TryAnswer(At("a", 1), 0));
        Assert.Null(view.Take(Join("a"), 0));
        Assert.Null(view.TryAnswer(At("a", 1), 0));
        view.Learn(Beat(Join("a")));

        Assert.Equal((1, TimeSpan.Zero), (view.TryAnswer(At("a", 1), 500)!.MemberEpoch, view.SilenceAt(500)));
        view.Nudge();
        Assert.Null(view.TryAnswer(At("a", 1), 600));
        Assert.Equal(TimeSpan.FromMilliseconds(100), view.SilenceAt(600));
        Assert.Null(view.Take(At("a", 1), 700));
        view.Learn(Beat(At("a", 1)));
        Assert.NotNull(view.TryAnswer(At("a", 1), 800));
        Assert.Null(view.TryAnswer(At("a", 1), 15_700));
    }

    [Fact]
    public void HostedMembers_AreAskedByBothIds_UntilTheirActivationEnds()
    {
        var hosted = new HostedMembers();
        var reply = ConsumerGroupHeartbeatReply.Refuse("m", ErrorCode.None);
        Func<ConsumerGroupHeartbeat, ConsumerGroupHeartbeatReply?> former = _ => null, current = _ => reply;
        hosted.Add("g", "m", former);
        hosted.Add("g", "m", current);
        hosted.Remove("g", "m", former);
        Assert.Same(reply, hosted.Answer("g", At("m", 1)));
        Assert.Null(hosted.Answer("g", At("n", 1)));
        Assert.Null(hosted.Answer("h", At("m", 1)));
        hosted.Remove("g", "m", current);
        Assert.Null(hosted.Answer("g", At("m", 1)));
    }

    private ConsumerGroupHeartbeatReply Beat(ConsumerGroupHeartbeat beat) => _group.Heartbeat(beat, 0).Reply!;

    private static ConsumerGroupHeartbeat Join(string memberId) => new()
    {
        MemberId = memberId,
        MemberEpoch = 0,
        RebalanceTimeout = TimeSpan.FromMinutes(5),
        SubscribedTopics = ["orders"],
        OwnedPartitions = [],
    };

    private static ConsumerGroupHeartbeat At(string memberId, int epoch) => new() { MemberId = memberId, MemberEpoch = epoch };

    private static ImmutableArray<PartitionId> Of(ConsumerGroupTopic topic, params int[] indexes) => [.. indexes.Select(index => new PartitionId(topic.TopicId, index))];
}

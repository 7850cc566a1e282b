using System.Collections.Immutable;
using CsCheck;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>The bytes of the embedded consumer protocol, and the way from one group protocol to the other and back.</summary>
public sealed class ConsumerGroupMigrationTests
{
    private static readonly ConsumerGroupTopic s_orders = new("orders", new Guid("00000000-0000-0000-0000-0000000000a1"), 4);
    private static readonly Dictionary<string, Guid> s_ids = new() { ["orders"] = s_orders.TopicId };
    private static readonly Dictionary<Guid, string> s_names = new() { [s_orders.TopicId] = "orders" };

    private static readonly Gen<ImmutableArray<ConsumerGroupNamedPartitions>> s_partitions =
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 9], Gen.Int[0, 99].Array[0, 4], (topic, indexes) => new ConsumerGroupNamedPartitions(topic, [.. indexes]))
            .Array[0, 3].Select(topics => topics.ToImmutableArray());

    [Fact]
    public void Subscription_IsKafkasBytes()
    {
        // Version 3; topic "t"; no user data; owned: "t" 1; generation 5; rack "r".
        const string Bytes = "0003" + "00000001" + "000174" + "ffffffff" + "00000001" + "000174" + "00000001" + "00000001" + "00000005" + "000172";
        Assert.True(ConsumerGroupProtocolBytes.TryReadSubscription(Convert.FromHexString(Bytes), out var read));
        Assert.Equal((3, "t", 5, "r"), ((int)read.Version, Assert.Single(read.Topics), read.GenerationId, read.RackId));
        Assert.Null(read.UserData);
        Assert.Equal([1], Assert.Single(read.OwnedPartitions).Partitions);
        Assert.Equal(Bytes, Convert.ToHexStringLower(ConsumerGroupProtocolBytes.Write(read)));

        // Version 0, as the oldest clients write it, with empty user data.
        const string Oldest = "0000" + "00000001" + "000174" + "00000000";
        Assert.True(ConsumerGroupProtocolBytes.TryReadSubscription(Convert.FromHexString(Oldest), out read));
        Assert.Equal((-1, null), (read.GenerationId, read.RackId));
        Assert.Equal(Oldest, Convert.ToHexStringLower(ConsumerGroupProtocolBytes.Write(read)));
    }

    [Fact]
    public void Assignment_IsKafkasBytes()
    {
        const string Bytes = "0001" + "00000001" + "000174" + "00000002" + "00000000" + "00000007" + "00000001" + "ff";
        Assert.True(ConsumerGroupProtocolBytes.TryReadAssignment(Convert.FromHexString(Bytes), out var read));
        Assert.Equal([0, 7], Assert.Single(read.Partitions).Partitions);
        Assert.Equal(Bytes, Convert.ToHexStringLower(ConsumerGroupProtocolBytes.Write(read)));
    }

    [Fact]
    public void Subscription_OfEveryVersion_ReadsWhatWasWritten_AndNothingThatIsCut() =>
        Gen.Select(Gen.Short[0, 3], Gen.String[Gen.Char.AlphaNumeric, 0, 9].Array[0, 4], Gen.Byte.Array[0, 5].Null(), s_partitions, Gen.Int[-1, 99], Gen.Char.AlphaNumeric).Sample(
            (version, topics, userData, owned, generation, rack) =>
            {
                var written = ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(version, [.. topics], userData, owned, generation, $"{rack}"));
                Assert.True(ConsumerGroupProtocolBytes.TryReadSubscription(written, out var read));
                Assert.Equal(written, ConsumerGroupProtocolBytes.Write(read));
                Assert.Equal(topics, read.Topics);
                for (var length = 0; length < written.Length; length++)
                    Assert.False(ConsumerGroupProtocolBytes.TryReadSubscription(written.AsSpan(0, length), out _));
            });

    [Fact]
    public void AnyBytes_AreReadOrRefused() => Gen.Byte[0, 9].Array[0, 60].Sample(bytes =>
    {
        if (ConsumerGroupProtocolBytes.TryReadSubscription(bytes, out var subscription))
            Assert.True(ConsumerGroupProtocolBytes.Write(subscription).Length <= bytes.Length);
        if (ConsumerGroupProtocolBytes.TryReadAssignment(bytes, out var assignment))
            Assert.True(ConsumerGroupProtocolBytes.Write(assignment).Length <= bytes.Length);
    });

    [Fact]
    public void Upgrade_LetsAConsumerMemberJoin_AndPausesNothingThatStays()
    {
        var state = ConsumerGroupMigration.Upgrade([Seat("a", [0, 1]), Seat("b", [2, 3])], 7, s_ids)!;
        var group = new ConsumerGroup(state, [s_orders], new ConsumerGroupOptions { AssignmentInterval = TimeSpan.Zero }, 0);
        var joined = group.Heartbeat(Join("c"), 0).Reply!;
        Assert.True(joined.MemberEpoch > 7);
        Assert.Empty(joined.Assignment!.Value);

        // One of the classic members is told to join again, gives one back, and joins once more to say so, as a cooperative member does.
        var told = new[] { "a", "b" }.Single(memberId => group.ClassicHeartbeat(new GroupCaller(memberId, null, 7), 0).Reply!.Error == ErrorCode.RebalanceInProgress);
        int[] had = told == "a" ? [0, 1] : [2, 3];
        var rejoin = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat(told, had), s_ids)!, 0).Reply!;
        Assert.Equal((7, ConsumerGroupMemberState.UnrevokedPartitions), (rejoin.MemberEpoch, rejoin.View!.State));
        Assert.Equal(ErrorCode.RebalanceInProgress, group.ClassicHeartbeat(new GroupCaller(told, null, 7), 0).Reply!.Error);
        var kept = Assert.Single(rejoin.View.Assigned);
        Assert.Contains(kept.Index, had);
        var done = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat(told, [kept.Index]), s_ids)!, 0).Reply!;
        Assert.Equal(ErrorCode.None, group.ClassicHeartbeat(new GroupCaller(told, null, done.MemberEpoch), 0).Reply!.Error);
        Assert.Equal(ErrorCode.IllegalGeneration, group.ClassicHeartbeat(new GroupCaller(told, null, 7), 0).Reply!.Error);
        Assert.Equal(ErrorCode.UnknownMemberId, group.ClassicHeartbeat(new GroupCaller("c", null, joined.MemberEpoch), 0).Reply!.Error);
        Assert.Single(group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = joined.MemberEpoch }, 0).Reply!.Assignment!.Value);
        Assert.Equal("Stable", group.State);
    }

    [Fact]
    public void ClassicMember_ThatIsSilent_IsRemovedWhenItsSessionIsOver_WithoutAskingAnybody()
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]));
        Assert.Contains("a", group.Members.Select(member => member.MemberId));
        group.Tick(9_999);
        Assert.Equal(2, group.Members.Count);

        var step = group.Tick(10_000);

        Assert.Equal("c", Assert.Single(group.Members).MemberId);
        Assert.DoesNotContain("a", step.Overdue);
        Assert.True(step.Changed);
    }

    /// <summary>It beats its heart, but does not do what it is told: it would keep its partitions from the others for ever.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ClassicMember_ThatDoesNotJoinOrSync_IsRemovedAfterItsRebalanceTimeout(bool joins)
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]));
        var caller = new GroupCaller("a", null, 7);
        if (joins)
            caller = caller with { Generation = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat("a", []), s_ids)!, 0).Reply!.MemberEpoch };
        for (var now = 0; now < 60_000; now += 5_000)
        {
            Assert.Equal(joins ? ErrorCode.None : ErrorCode.RebalanceInProgress, group.ClassicHeartbeat(caller, now).Reply!.Error);
            group.Tick(now);
        }

        Assert.Equal(2, group.Members.Count);
        group.Tick(60_000);
        Assert.Equal("c", Assert.Single(group.Members).MemberId);
        Assert.Equal(ErrorCode.UnknownMemberId, group.ClassicHeartbeat(caller, 60_000).Reply!.Error);
    }

    /// <summary>It was told to join, which it may not have heard, and then there was nothing to join for any more.</summary>
    [Fact]
    public void ClassicMember_ThatIsToldThatAllIsWell_OwesNothing()
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]));
        var caller = new GroupCaller("a", null, 7);
        Assert.Equal(ErrorCode.RebalanceInProgress, group.ClassicHeartbeat(caller, 0).Reply!.Error);
        group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = -1 }, 0);
        for (var now = 0; now <= 90_000; now += 5_000)
        {
            Assert.Equal(ErrorCode.None, group.ClassicHeartbeat(caller, now).Reply!.Error);
            group.Tick(now);
        }

        Assert.Equal("a", Assert.Single(group.Members).MemberId);
    }

    [Fact]
    public void ClassicMember_ThatSyncs_OwesNothing()
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]));
        var generation = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat("a", []), s_ids)!, 0).Reply!.MemberEpoch;
        group.Synced("a");
        for (var now = 0; now <= 90_000; now += 5_000)
        {
            group.ClassicHeartbeat(new GroupCaller("a", null, generation), now);
            group.Tick(now);
        }

        Assert.Equal(2, group.Members.Count);
    }

    /// <summary>Another process under the same instance id takes the place, and the former is told so, whatever it calls: the two do not take turns.</summary>
    [Fact]
    public void StaticClassicMember_WhosePlaceIsTaken_IsFenced()
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]) with { InstanceId = "i" });
        var joined = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat("b", []) with { InstanceId = "i" }, s_ids)!, 0).Reply!;

        Assert.Equal(["b", "c"], group.Members.Select(member => member.MemberId).Order());
        Assert.Equal(ErrorCode.FencedInstanceId, group.ClassicHeartbeat(new GroupCaller("a", "i", 7), 0).Reply!.Error);
        Assert.Equal(ErrorCode.FencedInstanceId, group.FindClassic(new GroupCaller("a", "i", joined.MemberEpoch), out _));
        Assert.Equal(ErrorCode.FencedInstanceId, ConsumerGroupMigration.RefuseClassic(group.Members, Request("a", "i", "cooperative-sticky")));
        Assert.Equal(ErrorCode.UnknownMemberId, ConsumerGroupMigration.RefuseClassic(group.Members, Request("a", "j", "cooperative-sticky")));
        Assert.Equal(ErrorCode.UnknownMemberId, group.FindClassic(new GroupCaller("a", "j", 7), out _));
        Assert.Equal(ErrorCode.UnknownMemberId, group.FindClassic(new GroupCaller("a", null, 7), out _));
        Assert.Equal(ErrorCode.None, group.FindClassic(new GroupCaller("b", "i", joined.MemberEpoch), out _));
        Assert.Equal(ErrorCode.None, ConsumerGroupMigration.RefuseClassic(group.Members, Request("b", "i", "cooperative-sticky")));
        Assert.Equal(ErrorCode.None, ConsumerGroupMigration.RefuseClassic(group.Members, Request("", "i", "cooperative-sticky")));
    }

    /// <summary>Without one, they could not be a classic group again when the last consumer member leaves.</summary>
    [Fact]
    public void ClassicMembers_ShareAnAssignor()
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]));

        Assert.Equal(ErrorCode.None, ConsumerGroupMigration.RefuseClassic(group.Members, Request("", null, "range", "cooperative-sticky")));
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, ConsumerGroupMigration.RefuseClassic(group.Members, Request("", null, "range")));
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, ConsumerGroupMigration.RefuseClassic(group.Members, Request("", null)));
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, ConsumerGroupMigration.RefuseClassic(group.Members, Request("", null, "cooperative-sticky") with { ProtocolType = "connect" }));
    }

    [Fact]
    public void Downgrade_IsPossibleOnceNobodySpeaksTheConsumerProtocol()
    {
        var state = ConsumerGroupMigration.Upgrade([Seat("a", [0, 1, 2, 3])], 1, s_ids)!;
        var group = new ConsumerGroup(state, [s_orders], new ConsumerGroupOptions(), 0);
        group.Heartbeat(Join("c"), 0);
        Assert.False(CanDowngrade(group));
        group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = -1 }, 0);
        Assert.True(CanDowngrade(group));
        Assert.False(ConsumerGroupMigration.CanDowngrade(group.Members, new ConsumerGroupOptions(), maxClassic: 0));
        var seat = Assert.Single(ConsumerGroupMigration.Downgrade(group.Export(), s_names));
        Assert.Equal(("a", TimeSpan.FromSeconds(10)), (seat.MemberId, seat.SessionTimeout));
        Assert.True(ConsumerGroupProtocolBytes.TryReadAssignment(seat.Assignment, out var assignment));
        Assert.Equal([0, 1, 2, 3], Assert.Single(assignment.Partitions).Partitions);
        Assert.False(ConsumerGroupMigration.CanDowngrade([], new ConsumerGroupOptions(), maxClassic: 1));
    }

    [Theory]
    [InlineData(ConsumerGroupMigrationPolicy.Disabled, false, false)]
    [InlineData(ConsumerGroupMigrationPolicy.Upgrade, true, false)]
    [InlineData(ConsumerGroupMigrationPolicy.Downgrade, false, true)]
    [InlineData(ConsumerGroupMigrationPolicy.Bidirectional, true, true)]
    public void Policy_SaysWhichWayAGroupWithMembersMayGo(ConsumerGroupMigrationPolicy policy, bool upgrades, bool downgrades)
    {
        var options = new ConsumerGroupOptions { MigrationPolicy = policy, MaxMembers = 1 };
        var state = ConsumerGroupMigration.Upgrade([Seat("a", [0, 1, 2, 3])], 1, s_ids)!;

        Assert.Equal(upgrades, ConsumerGroupMigration.CanUpgrade("consumer", 1, options));
        Assert.Equal(downgrades, ConsumerGroupMigration.CanDowngrade(state.Members, options, maxClassic: 1));
        Assert.False(ConsumerGroupMigration.CanUpgrade("connect", 1, options));
        Assert.False(ConsumerGroupMigration.CanUpgrade("consumer", 2, options));
        Assert.True(ConsumerGroupMigration.AreClassic(state.Members));
    }

    [Fact]
    public void Policy_IsBidirectionalByDefault_AndOneOfThoseThereAre()
    {
        Assert.Equal(ConsumerGroupMigrationPolicy.Bidirectional, new ConsumerGroupOptions().MigrationPolicy);
        Assert.Empty(new ConsumerGroupOptions().Validate());
        var wrong = Assert.Single(new ConsumerGroupOptions { MigrationPolicy = (ConsumerGroupMigrationPolicy)7 }.Validate());
        Assert.Equal("MigrationPolicy is 7: Disabled, Upgrade, Downgrade, Bidirectional are the ones there are.", wrong);
    }

    [Fact]
    public void Upgrade_OfWhatIsNotTheConsumerProtocol_IsRefused()
    {
        Assert.Null(ConsumerGroupMigration.Upgrade([Seat("a", [0]) with { Protocols = [new("connect", [1, 2, 3])] }], 1, s_ids));
        Assert.Null(ConsumerGroupMigration.Upgrade([Seat("a", [0]) with { Assignment = [0] }], 1, s_ids));
        Assert.Null(ConsumerGroupMigration.Upgrade([Seat("a", [0]), Seat("b", [0])], 1, s_ids));
    }

    /// <summary>A classic group that waits for its leader has shares for nobody yet: what its members may still use are those of the last generation.</summary>
    [Fact]
    public void Upgrade_OfAGroupThatWaitsForItsLeader_GivesNoPartitionAway()
    {
        var classic = new ClassicGroup(new GroupOptions { InitialRebalanceDelay = TimeSpan.Zero });
        var (a, b) = (Seat("a", [0, 1]), Seat("b", [2, 3]));
        Join("", "a");
        Join("", "b");
        Join("a", "a");
        classic.Sync(9, new SyncRequest(new GroupCaller("a", null, 2), null, null, [new MemberAssignment("a", a.Assignment), new MemberAssignment("b", b.Assignment)]), TimeSpan.Zero);
        Assert.Equal(GroupState.Stable, classic.State);
        Join("", "c");
        Join("a", "a");
        Join("b", "b");
        Assert.Equal(GroupState.CompletingRebalance, classic.State);

        var seats = classic.Members.All.Select(member => Seat(member.MemberId, []) with { Assignment = member.Assignment.ToArray() }).ToArray();
        var state = ConsumerGroupMigration.Upgrade(seats, classic.Generation, s_ids)!;

        Assert.Equal(
            [("a", "0,1"), ("b", "2,3"), ("c", "")],
            state.Members.Select(member => (member.MemberId, string.Join(',', member.Assigned.Select(partition => partition.Index)))).Order());
        Assert.All(GroupReaders.Describe(classic).Members, member => Assert.True(member.Assignment.IsEmpty));

        // Whom the leader does not name has nothing from here on.
        classic.Sync(10, new SyncRequest(new GroupCaller("a", null, 3), null, null, [new MemberAssignment("c", b.Assignment)]), TimeSpan.Zero);
        Assert.Equal([0, 0, b.Assignment.Length], classic.Members.All.Select(member => member.Assignment.Length));

        void Join(string memberId, string newMemberId) => classic.Join(
            1, Request(memberId, null, "cooperative-sticky") with { RequiresKnownId = false }, newMemberId, TimeSpan.Zero);
    }

    [Fact]
    public void Upgrade_WhereAnAssignmentIsNotKnown_BelievesWhatTheMemberOwns_UnlessAnotherWasAssignedIt()
    {
        var state = ConsumerGroupMigration.Upgrade([Seat("a", [0, 1]) with { Assignment = [] }, Seat("b", [1, 2])], 7, s_ids)!;

        Assert.Equal([0], state.Members.Single(member => member.MemberId == "a").Assigned.Select(partition => partition.Index));
        Assert.Equal([1, 2], state.Members.Single(member => member.MemberId == "b").Assigned.Select(partition => partition.Index));
    }

    /// <summary>Its share took some away, and the answer that says so may still be on its way.</summary>
    [Fact]
    public void Upgrade_WhereAShareTookPartitionsAway_WaitsUntilTheyAreGivenBack()
    {
        var share = Seat("a", [0, 1]) with { Protocols = Seat("a", [0, 1, 2, 3]).Protocols };
        var group = new ConsumerGroup(ConsumerGroupMigration.Upgrade([share], 7, s_ids)!, [s_orders], new ConsumerGroupOptions { AssignmentInterval = TimeSpan.Zero }, 0);
        var joined = group.Heartbeat(Join("c"), 0).Reply!;
        Assert.Empty(joined.Assignment!.Value);
        Assert.Equal(ErrorCode.RebalanceInProgress, group.ClassicHeartbeat(new GroupCaller("a", null, 7), 0).Reply!.Error);

        group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat("a", [0, 1]), s_ids)!, 0);

        var given = group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = joined.MemberEpoch }, 0).Reply!.Assignment!.Value;
        Assert.Equal([2, 3], given.Select(partition => partition.Index));
    }

    /// <summary>A consumer member that comes back before the classic members have joined anew must not be given what one of them was giving back.</summary>
    [Fact]
    public void Downgrade_KeepsWhatAMemberWasGivingBack()
    {
        var group = Mixed(Seat("a", [0, 1, 2, 3]));
        var told = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat("a", [0, 1, 2, 3]), s_ids)!, 0).Reply!.View!;
        Assert.Equal(2, told.Revoking.Length);
        group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = -1 }, 0);

        var seat = Assert.Single(ConsumerGroupMigration.Downgrade(group.Export(), s_names));

        Assert.True(ConsumerGroupProtocolBytes.TryReadAssignment(seat.Assignment, out var assignment));
        Assert.Equal([0, 1, 2, 3], Assert.Single(assignment.Partitions).Partitions.Order());
    }

    /// <summary>As if only a rebalance had begun: it commits what it has done before it joins. Whoever is behind has missed a rebalance, and begins with nothing.</summary>
    [Fact]
    public void Downgrade_CallsThoseAtTheNewestEpochTogether_AndTakesTheirCommits()
    {
        var options = new ConsumerGroupOptions { AssignmentInterval = TimeSpan.Zero };
        var group = new ConsumerGroup(ConsumerGroupMigration.Upgrade([Seat("a", [0, 1]), Seat("b", [2, 3])], 7, s_ids)!, [s_orders], options, 0);
        group.Heartbeat(Join("c"), 0);
        var (newest, older) = group.ClassicHeartbeat(new GroupCaller("a", null, 7), 0).Reply!.Error == ErrorCode.RebalanceInProgress ? ("a", "b") : ("b", "a");
        var epoch = group.Heartbeat(ConsumerGroupMigration.ToHeartbeat(Seat(newest, []), s_ids)!, 0).Reply!.MemberEpoch;
        group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = -1 }, 0);
        Assert.Equal(epoch + 1, group.GroupEpoch);

        var classic = ClassicGroup.Restore(new GroupOptions(), GroupConversion.ToClassic(group, s_names), TimeSpan.Zero);
        classic = ClassicGroup.Restore(new GroupOptions(), classic.ToState(), TimeSpan.Zero);

        Assert.Equal(ErrorCode.RebalanceInProgress, classic.Heartbeat(new GroupCaller(newest, null, epoch), TimeSpan.Zero));
        Assert.Equal(ErrorCode.None, classic.CheckCommit(new GroupCaller(newest, null, epoch), TimeSpan.Zero));
        Assert.Equal(ErrorCode.IllegalGeneration, classic.Heartbeat(new GroupCaller(older, null, 7), TimeSpan.Zero));
        Assert.Equal(ErrorCode.IllegalGeneration, classic.CheckCommit(new GroupCaller(older, null, 7), TimeSpan.Zero));

        // Whichever way it goes on, no number comes a second time.
        var back = GroupConversion.ToConsumer(classic, options, s_ids)!;
        Assert.Equal((epoch + 1, epoch + 1), (back.GroupEpoch, back.AssignmentEpoch));
        Assert.All(back.Members, member => Assert.Equal(epoch, member.MemberEpoch));
        classic.Join(1, Request("a", null, "cooperative-sticky"), "", TimeSpan.Zero);
        classic.Join(2, Request("b", null, "cooperative-sticky"), "", TimeSpan.Zero);
        Assert.Equal([epoch + 2, epoch + 2], classic.TakeAnswers().Select(answer => answer.Join!.Generation));
        Assert.Equal(ErrorCode.IllegalGeneration, classic.CheckCommit(new GroupCaller(newest, null, epoch), TimeSpan.Zero));
    }

    private static bool CanDowngrade(ConsumerGroup group) => ConsumerGroupMigration.CanDowngrade(group.Members, new ConsumerGroupOptions(), maxClassic: 10);

    /// <summary>One classic member at generation 7, and c, which speaks the consumer protocol and asks for its share.</summary>
    private static ConsumerGroup Mixed(ConsumerGroupClassicSeat seat)
    {
        var options = new ConsumerGroupOptions { AssignmentInterval = TimeSpan.Zero, SessionTimeout = TimeSpan.FromMinutes(10) };
        var group = new ConsumerGroup(ConsumerGroupMigration.Upgrade([seat], 7, s_ids)!, [s_orders], options, 0);
        group.Heartbeat(Join("c"), 0);
        return group;
    }

    private static JoinRequest Request(string memberId, string? instanceId, params string[] assignors) => new(
        memberId, instanceId, "", "", TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), "consumer", [.. assignors.Select(name => new GroupProtocol(name, Array.Empty<byte>()))], true, true);

    private static ConsumerGroupClassicSeat Seat(string memberId, int[] owned)
    {
        var partitions = new ConsumerGroupNamedPartitions("orders", [.. owned]);
        var metadata = ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(3, ["orders"], null, [partitions], 7, null));
        return new ConsumerGroupClassicSeat(
            memberId,
            null,
            "",
            "",
            TimeSpan.FromSeconds(10),
            TimeSpan.FromMinutes(1),
            [new ConsumerGroupClassicProtocol("cooperative-sticky", [.. metadata])],
            ConsumerGroupProtocolBytes.Write(new ConsumerGroupAssignment(3, [partitions], null)));
    }

    private static ConsumerGroupHeartbeat Join(string memberId) => new()
    {
        MemberId = memberId,
        MemberEpoch = 0,
        RebalanceTimeout = TimeSpan.FromMinutes(5),
        SubscribedTopics = ["orders"],
        OwnedPartitions = ImmutableArray<PartitionId>.Empty,
    };
}

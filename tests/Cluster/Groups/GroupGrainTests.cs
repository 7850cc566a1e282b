using System.Diagnostics.Metrics;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Cluster.Clients;
using Granary.Cluster.Silo;
using Granary.Cluster.Storage;
using Granary.Grains.Groups;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Groups;

/// <summary>What a group answers while something of it is being written, or its silo does not know whether it is alive.</summary>
public sealed class GroupGrainTests(PrivatePostgres postgres) : IAsyncLifetime
{
    private readonly WriteGate _gate = new();
    private readonly SiloLease _lease = new(TimeProvider.System);
    private ClusterOfTwo _cluster = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation, services =>
    {
        services.AddSingleton<IGroupStore>(provider => new HeldStore(provider.GetRequiredService<PostgresGroupStore>(), _gate));
        services.AddSingleton(_lease);
        services.Configure<GroupOptions>(groups => (groups.MeasureInterval, groups.MaxMeasured) = (TimeSpan.FromSeconds(1), 1));
        services.Configure<ConsumerGroupOptions>(groups => groups.SessionTimeout = TimeSpan.FromMinutes(10));
    });

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task WhatIsWritten_IsNeitherExpiredNorOverrun_AndASiloInDoubtTellsNoPositions()
    {
        await ExpiryLeavesWhatIsBeingCommittedAsync();
        await ResetKeepsMembersOutWhileItIsWrittenAsync();
        await DeletionTakesNobodyInWhoComesMeanwhileAsync();
        await SiloInDoubtTellsNothingAsync();
    }

    /// <summary>Who is not let in does not have the others change their protocol, or wait for answers that nobody gives any more.</summary>
    [Fact]
    public async Task ConsumerJoin_ThatIsRefused_LeavesAClassicGroupAsItWas_AndOneThatIsNotAnswersWhoeverWaits()
    {
        var group = Group("classic");
        await new LogAdmin(_cluster.Client).CreateTopicAsync("events", partitionCount: 2);
        var first = await group.JoinAsync(Join(""));
        Assert.Equal(ErrorCode.None, (await group.SyncAsync(new SyncRequest(new GroupCaller(first.MemberId, null, 1), null, null, []))).Error);
        var waiting = group.JoinAsync(Join(""));
        await Eventually.HoldsAsync("the others are called together", async () => await group.HeartbeatAsync(new GroupCaller(first.MemberId, null, 1)) == ErrorCode.RebalanceInProgress);

        Assert.Equal(ErrorCode.InvalidRegularExpression, (await Member("classic", "c").HeartbeatAsync(Beat("c") with { SubscribedRegex = "(" })).Error);

        Assert.Null((await group.DescribeAsync(withLags: false)).Consumer);
        var again = group.JoinAsync(Join(first.MemberId));
        Assert.Equal([2, 2], (await Task.WhenAll(waiting, again)).Select(joined => joined.Generation));
        var third = group.JoinAsync(Join(""));
        await Eventually.HoldsAsync("the others are called together", async () => await group.HeartbeatAsync(new GroupCaller(first.MemberId, null, 2)) == ErrorCode.RebalanceInProgress);

        Assert.Equal(ErrorCode.None, (await Member("classic", "c").HeartbeatAsync(Beat("c"))).Error);

        Assert.Equal(ErrorCode.RebalanceInProgress, (await third).Error);
        Assert.NotNull((await group.DescribeAsync(withLags: false)).Consumer);
    }

    /// <summary>Its grain and the gateway answer its heartbeats alone for as long as there is nothing new, here for minutes: nobody may own its partitions beside the others for so long.</summary>
    [Fact]
    public async Task ConsumerMember_ThatAnAdministratorRemoves_HearsOfIt()
    {
        var (group, member) = (Group("removing"), Member("removing", "c"));
        await new LogAdmin(_cluster.Client).CreateTopicAsync("events", partitionCount: 2);
        ConsumerGroupHeartbeatReply joined = null!;
        await Eventually.HoldsAsync("the topic is known", async () => (joined = await member.HeartbeatAsync(Beat("c"))).Assignment is { Length: 2 });
        var beat = new ConsumerGroupHeartbeat { MemberId = "c", MemberEpoch = joined.MemberEpoch };
        Assert.Equal(ErrorCode.None, (await member.HeartbeatAsync(beat)).Error);

        Assert.Equal(ErrorCode.None, Assert.Single(await group.LeaveAsync([new LeavingMember("c", null)])));

        await Eventually.HoldsAsync("it is told that it is no member", async () => (await member.HeartbeatAsync(beat)).Error == ErrorCode.UnknownMemberId);
    }

    /// <summary>Whoever asks for what is not there, by mistake or on purpose, must not push the groups there are out of the metrics.</summary>
    [Fact]
    public async Task GroupsThatDoNotExist_TakeNoPlaceInTheMetrics_AndOneThatIsDeletedLeavesMemory()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(number => Group($"nothing-{number}").FetchOffsetsAsync([])));
        var group = Group("measured");
        Assert.Equal(ErrorCode.None, await CommitAsync(group, TestStore.NewPartition(), 1));
        Assert.True(await IsInMemoryAsync(group));
        var measured = false;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "kafka.consumer_group.members")
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, _, tags, _) => measured |= tags.Contains(new KeyValuePair<string, object?>("group", "measured")));
        listener.Start();
        await Eventually.HoldsAsync("it is measured", () =>
        {
            listener.RecordObservableInstruments();
            return measured;
        });

        Assert.Equal(ErrorCode.None, await group.DeleteAsync());

        await Eventually.HoldsAsync("nothing is left of it", async () => !await IsInMemoryAsync(group));
        Assert.Equal(ErrorCode.GroupIdNotFound, (await group.DescribeAsync(withLags: false)).Error);
    }

    private async Task<bool> IsInMemoryAsync(IGroupGrain group) =>
        (await _cluster.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics()).Any(one => one.GrainId == group.GetGrainId());

    private async Task ExpiryLeavesWhatIsBeingCommittedAsync()
    {
        // Of a topic that is not there: it would go at once.
        var (group, partition) = (Group("expiring"), TestStore.NewPartition());
        Assert.Equal(ErrorCode.None, await CommitAsync(group, partition, 1));
        var held = _gate.HoldAsync("expiring");
        var committing = CommitAsync(group, partition, 2);
        await held;

        await group.ExpireAsync();
        _gate.Open();

        Assert.Equal(ErrorCode.None, await committing);
        Assert.Equal(2, Assert.Single((await group.FetchOffsetsAsync([])).Offsets).Offset);
        await group.ExpireAsync();
        Assert.Empty((await group.FetchOffsetsAsync([])).Offsets);
    }

    private async Task ResetKeepsMembersOutWhileItIsWrittenAsync()
    {
        var (group, partition) = (Group("reset"), TestStore.NewPartition());
        Assert.Equal(ErrorCode.None, await CommitAsync(group, partition, 9));
        var held = _gate.HoldAsync("reset");
        var resetting = group.ResetAsync(new Abstractions.Groups.OffsetReset(Guid.NewGuid(), "", "", false, false, [new ResetChange(partition, 9, 3, -1)]));
        await held;

        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, (await group.JoinAsync(Join(""))).Error);
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, (await Member("reset", "c").HeartbeatAsync(Beat("c"))).Error);
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, (await group.FetchOffsetsAsync([partition])).Error);
        _gate.Open();

        Assert.Equal(ResetRefusal.None, (await resetting).Refusal);
        Assert.Equal(3, Assert.Single((await group.FetchOffsetsAsync([partition])).Offsets).Offset);
        Assert.Equal(ErrorCode.None, (await group.JoinAsync(Join(""))).Error);
    }

    /// <summary>A classic member that joins while the last save of an empty consumer group lasts, and the group is deleted: it is sent away, not forgotten.</summary>
    private async Task DeletionTakesNobodyInWhoComesMeanwhileAsync()
    {
        var group = Group("deleted");
        Assert.Equal(ErrorCode.None, (await Member("deleted", "c").HeartbeatAsync(Beat("c"))).Error);
        await using var connection = await _cluster.Source.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("LOCK TABLE granary.orleansstorage IN EXCLUSIVE MODE", connection))
            await hold.ExecuteNonQueryAsync(Cancellation);
        var leaving = Member("deleted", "c").HeartbeatAsync(Beat("c") with { MemberEpoch = ConsumerGroupHeartbeat.Leave });
        await Eventually.HoldsAsync("the save waits", async () =>
        {
            await using var waiting = _cluster.Source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
            return (long)(await waiting.ExecuteScalarAsync(Cancellation))! > 0;
        });
        await Eventually.HoldsAsync("the member is gone", async () => (await group.DescribeAsync(withLags: false)).State == GroupState.Empty);

        var joining = group.JoinAsync(Join(""));
        await group.DescribeAsync(withLags: false);
        var deleting = group.DeleteAsync();
        await group.DescribeAsync(withLags: false);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(ErrorCode.None, (await leaving).Error);
        Assert.Equal(ErrorCode.None, await deleting);

        // Calls may overtake one another: a join that comes after the deletion begins the group anew. Nobody is taken in by one that is gone.
        var joined = (await joining).Error;
        var described = (await group.DescribeAsync(withLags: false)).Error;
        Assert.Contains((joined, described), new[] { (ErrorCode.NotCoordinator, ErrorCode.GroupIdNotFound), (ErrorCode.None, ErrorCode.None) });
    }

    private async Task SiloInDoubtTellsNothingAsync()
    {
        var group = Group("reset");
        _lease.Begin();
        Assert.Equal(ErrorCode.NotCoordinator, (await group.FetchOffsetsAsync([])).Error);
        Assert.Equal(ErrorCode.NotCoordinator, (await group.DescribeAsync(withLags: false)).Error);
        _lease.Extend(TimeProvider.System.GetTimestamp(), TimeSpan.FromHours(1));
        Assert.Equal(ErrorCode.None, (await group.FetchOffsetsAsync([])).Error);
        Assert.Equal(ErrorCode.None, (await group.DescribeAsync(withLags: false)).Error);
    }

    private IGroupGrain Group(string groupId) => _cluster.Client.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId));

    private IGroupMemberGrain Member(string groupId, string memberId) =>
        _cluster.Client.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf(groupId, memberId));

    private static async Task<ErrorCode> CommitAsync(IGroupGrain group, PartitionId partition, long offset) =>
        Assert.Single(await group.CommitAsync(new CommitRequest(new GroupCaller("", null, -1), [new OffsetToCommit(partition, offset, -1, "")])));

    private static JoinRequest Join(string memberId) => new(
        memberId, null, "c", "h", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30), "consumer", [new GroupProtocol("range", s_subscription)], false, false);

    private static ConsumerGroupHeartbeat Beat(string memberId) => new()
    {
        MemberId = memberId,
        MemberEpoch = ConsumerGroupHeartbeat.Join,
        RebalanceTimeout = TimeSpan.FromMinutes(1),
        SubscribedTopics = ["events"],
        OwnedPartitions = [],
    };

    private static readonly byte[] s_subscription =
        ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(1, ["events"], null, [], -1, null));
}

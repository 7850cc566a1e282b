using System.Net;
using Granary.Gateway.Kafka.Wire;
using Granary.KafkaClients.Confluent;
using Granary.Support.Kafka;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.KafkaClients.Groups;

/// <summary>Members of the classic protocol that do what clients do only by mischance, in a group of either protocol; raw frames to a real silo.</summary>
public sealed class ClassicRefusalTests(BrokerFixture broker) : IAsyncLifetime
{
    private readonly string _group = $"g-{Guid.NewGuid():N}";
    private string _topic = "";
    private GroupWire _wire = null!;

    public async ValueTask InitializeAsync()
    {
        _topic = await Topics.CreateAsync(broker.Bootstrap, 4);
        _wire = await GroupWire.ConnectAsync(broker.Bootstrap);
    }

    public ValueTask DisposeAsync() => _wire.DisposeAsync();

    /// <summary>Two under one instance id: the former is told so whatever it calls, in a classic group and in one that has a consumer member.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task StaticMember_WhosePlaceIsTaken_IsFenced(bool hasConsumerMember)
    {
        if (hasConsumerMember)
            Assert.Equal(Code.None, (Code)(await _wire.BeatAsync(GroupWire.Joining(_group, "modern", _topic))).ErrorCode);
        var former = await _wire.JoinAsync(Request("", "i"));
        await SyncsAsync(former, "i");
        var now = await _wire.JoinAsync(Request("", "i"));
        Assert.Equal(Code.None, (Code)now.ErrorCode);
        Assert.NotEqual(former.MemberId, now.MemberId);

        var (id, generation) = (former.MemberId!, now.GenerationId);
        Assert.Equal(Code.FencedInstanceId, (Code)(await _wire.BeatClassicAsync(new() { GroupId = _group, GenerationId = generation, MemberId = id, GroupInstanceId = "i" })).ErrorCode);
        Assert.Equal(Code.FencedInstanceId, (Code)(await _wire.SyncAsync(Sync(id, "i", generation))).ErrorCode);
        Assert.Equal(Code.FencedInstanceId, (Code)(await _wire.JoinAsync(Request(id, "i"))).ErrorCode);
        var left = await _wire.LeaveAsync(new() { GroupId = _group, Members = [new() { MemberId = id, GroupInstanceId = "i" }] });
        Assert.Equal(Code.FencedInstanceId, (Code)Assert.Single(left.Members).ErrorCode);
        Assert.NotEqual(Code.None, await _wire.CommitAsync(_group, _topic, id, generation, version: 8));

        // The newer one has not been disturbed, and an administrator may remove it by its instance id alone.
        var beat = new HeartbeatRequest { GroupId = _group, GenerationId = now.GenerationId, MemberId = now.MemberId!, GroupInstanceId = "i" };
        Assert.Contains((Code)(await _wire.BeatClassicAsync(beat)).ErrorCode, new[] { Code.None, Code.RebalanceInProgress });
        left = await _wire.LeaveAsync(new() { GroupId = _group, Members = [new() { MemberId = "", GroupInstanceId = "i" }, new() { MemberId = "", GroupInstanceId = "j" }] });
        Assert.Equal([Code.None, Code.UnknownMemberId], left.Members.Select(member => (Code)member.ErrorCode));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AssignorThatNobodyShares_IsRefused(bool hasConsumerMember)
    {
        if (hasConsumerMember)
            await _wire.BeatAsync(GroupWire.Joining(_group, "modern", _topic));
        await SyncsAsync(await _wire.JoinAsync(Request("", "i")), "i");

        Assert.Equal(Code.InconsistentGroupProtocol, (Code)(await _wire.JoinAsync(Request("", null, assignor: "sticky"))).ErrorCode);
        Assert.Equal(Code.InconsistentGroupProtocol, (Code)(await _wire.JoinAsync(Request("", null, type: "connect"))).ErrorCode);
        Assert.Equal(Code.InconsistentGroupProtocol, (Code)(await _wire.JoinAsync(Request("", null, type: ""))).ErrorCode);
        Assert.Equal(Code.InvalidSessionTimeout, (Code)(await _wire.JoinAsync(Request("", null, session: 1))).ErrorCode);
        Assert.Equal(Code.MemberIdRequired, (Code)(await _wire.JoinAsync(Request("", null))).ErrorCode);
    }

    /// <summary>The follower waits for an assignment that never comes; when the leader's session is over it is called together anew, and leads.</summary>
    [Fact]
    public async Task LeaderThatVanishesBetweenJoinAndSync_IsReplacedByItsFollower()
    {
        await using var other = await GroupWire.ConnectAsync(broker.Bootstrap);
        var first = await JoinWithIdAsync(_wire);
        await SyncsAsync(first, null);
        var joining = JoinWithIdAsync(other);
        var beat = new HeartbeatRequest { GroupId = _group, GenerationId = 1, MemberId = first.MemberId! };
        await Eventually.IsTrueAsync(async () => (Code)(await _wire.BeatClassicAsync(beat)).ErrorCode == Code.RebalanceInProgress, () => "no rebalance for the second");
        var leads = await _wire.JoinAsync(Request(first.MemberId!, null, session: 1_000));
        var follows = await joining;
        Assert.Equal((2, 2, leads.MemberId, leads.MemberId), (leads.GenerationId, follows.GenerationId, leads.Leader, follows.Leader));
        Assert.Equal(2, leads.Members.Count);
        Assert.Empty(follows.Members);

        var synced = await other.SyncAsync(Sync(follows.MemberId!, null, 2));

        Assert.Equal(Code.RebalanceInProgress, (Code)synced.ErrorCode);
        var next = await other.JoinAsync(Request(follows.MemberId!, null, session: 1_000));
        Assert.Equal((Code.None, 3, follows.MemberId), ((Code)next.ErrorCode, next.GenerationId, next.Leader));
        Assert.Equal(follows.MemberId, Assert.Single(next.Members).MemberId);
        Assert.Equal(Code.UnknownMemberId, (Code)(await _wire.SyncAsync(Sync(leads.MemberId!, null, 2))).ErrorCode);
    }

    /// <summary>A classic member among consumer members is missed when its own session is over, not a second one later.</summary>
    [Fact]
    public async Task ClassicMemberAmongOthers_IsMissedWithinItsSession()
    {
        var classic = await _wire.JoinAsync(Request("", "i", session: 1_000));
        await SyncsAsync(classic, "i");
        var beat = GroupWire.Joining(_group, "modern", _topic);
        var joined = await _wire.BeatAsync(beat);
        Assert.Equal(Code.None, (Code)joined.ErrorCode);

        // In the version of a member that asks again and again, owning nothing yet.
        var partitions = 0;
        await Eventually.IsTrueAsync(
            async () =>
            {
                var answer = await _wire.BeatAsync(new() { GroupId = _group, MemberId = "modern", MemberEpoch = joined.MemberEpoch });
                Assert.Equal(Code.None, (Code)answer.ErrorCode);
                joined.MemberEpoch = answer.MemberEpoch;
                partitions = Math.Max(partitions, answer.Assignment?.TopicPartitions.Sum(topic => topic.Partitions.Count) ?? 0);
                return partitions == 4;
            },
            () => $"{partitions} of 4 partitions");
        Assert.Equal(Code.UnknownMemberId, (Code)(await _wire.BeatClassicAsync(new() { GroupId = _group, GenerationId = classic.GenerationId, MemberId = classic.MemberId!, GroupInstanceId = "i" })).ErrorCode);
    }

    /// <summary>Transactions are not there: their requests are not offered, so that a client refuses them itself.</summary>
    [Fact]
    public async Task TransactionalCommits_AreNotOffered()
    {
        const short AddPartitionsToTxn = 24, AddOffsetsToTxn = 25, EndTxn = 26, TxnOffsetCommit = 28;
        await using var wire = await KafkaWire.ConnectAsync(IPEndPoint.Parse(broker.Bootstrap));
        var offered = (await wire.ApiVersionsAsync(3)).ApiKeys.Select(api => api.ApiKey).ToArray();
        Assert.Contains(OffsetCommitRequest.ApiKey, offered);
        Assert.Empty(offered.Intersect([AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, TxnOffsetCommit]));
    }

    private async Task<JoinGroupResponse> JoinWithIdAsync(GroupWire wire)
    {
        var given = await wire.JoinAsync(Request("", null, session: 1_000));
        Assert.Equal(Code.MemberIdRequired, (Code)given.ErrorCode);
        return await wire.JoinAsync(Request(given.MemberId!, null, session: 1_000));
    }

    private async Task SyncsAsync(JoinGroupResponse joined, string? instanceId)
    {
        Assert.Equal(Code.None, (Code)joined.ErrorCode);
        Assert.Equal(Code.None, (Code)(await _wire.SyncAsync(Sync(joined.MemberId!, instanceId, joined.GenerationId))).ErrorCode);
    }

    /// <summary>With nobody's assignments: what they are does not matter here.</summary>
    private SyncGroupRequest Sync(string memberId, string? instanceId, int generation) =>
        new() { GroupId = _group, GenerationId = generation, MemberId = memberId, GroupInstanceId = instanceId, ProtocolType = "consumer", ProtocolName = "range" };

    private JoinGroupRequest Request(string memberId, string? instanceId, string assignor = "range", string type = "consumer", int session = 10_000)
    {
        var name = System.Text.Encoding.UTF8.GetBytes(_topic);
        return new JoinGroupRequest
        {
            GroupId = _group,
            SessionTimeoutMs = session,
            RebalanceTimeoutMs = 10_000,
            MemberId = memberId,
            GroupInstanceId = instanceId,
            ProtocolType = type,

            // The embedded protocol's subscription, version 0: the topic, and no user data.
            Protocols = [new() { Name = assignor, Metadata = (byte[])[0, 0, 0, 0, 0, 1, 0, (byte)name.Length, .. name, 0, 0, 0, 0] }],
        };
    }
}

using Granary.Gateway.Kafka.Wire;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.KafkaClients.Groups;

/// <summary>A group asked by the protocol that it does not speak, or under an id that is none; raw frames to a real silo whose groups may not change their protocol.</summary>
public sealed class GroupProtocolRefusalTests(StrictSilo silo) : IClassFixture<StrictSilo>
{
    private const string NotYet = "is not a consumer group, and cannot become one.";

    private readonly string _group = $"g-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("consumer")]
    [InlineData("connect")]
    public async Task ClassicGroupWithMembers_IsNoConsumerGroup(string type)
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var classic = await wire.JoinClassicAsync(_group, type, Subscribed());
        Assert.Equal(Code.None, (Code)classic.ErrorCode);

        var refused = await wire.BeatAsync(GroupWire.Joining(_group, "m", silo.Topic));
        Assert.Equal((Code.GroupIdNotFound, $"Group {_group} {NotYet}"), ((Code)refused.ErrorCode, refused.ErrorMessage));
        var unknown = await wire.BeatAsync(new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "m", MemberEpoch = 1 });
        Assert.Equal((Code.GroupIdNotFound, $"Group {_group} is not a consumer group."), ((Code)unknown.ErrorCode, unknown.ErrorMessage));
        Assert.Equal(Code.GroupIdNotFound, await DescribeAsync(wire, _group));

        // The classic member has not been disturbed; and without members the group is free to change.
        var beat = new HeartbeatRequest { GroupId = _group, GenerationId = classic.GenerationId, MemberId = classic.MemberId };
        Assert.Equal(Code.None, (Code)(await wire.BeatClassicAsync(beat)).ErrorCode);
        await wire.LeaveAsync(new LeaveGroupRequest { GroupId = _group, Members = [new() { MemberId = classic.MemberId }] });
        Assert.Equal(Code.None, (Code)(await wire.BeatAsync(GroupWire.Joining(_group, "m", silo.Topic))).ErrorCode);
        Assert.Equal(Code.None, await DescribeAsync(wire, _group));
    }

    [Fact]
    public async Task ConsumerGroup_KeepsItsProtocol_ThoughOnlyAClassicMemberIsLeft()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        await wire.BeatAsync(GroupWire.Joining(_group, "m", silo.Topic));
        var classic = await wire.JoinClassicAsync(_group, "consumer", Subscribed());
        Assert.Equal(Code.None, (Code)classic.ErrorCode);

        await wire.BeatAsync(new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "m", MemberEpoch = -1 });

        Assert.Equal(Code.None, await DescribeAsync(wire, _group));
        var beat = new HeartbeatRequest { GroupId = _group, GenerationId = classic.GenerationId, MemberId = classic.MemberId };
        await Eventually.IsTrueAsync(
            () => (Code)wire.BeatClassicAsync(beat).GetAwaiter().GetResult().ErrorCode == Code.RebalanceInProgress, () => "the classic member is not given what the other had");
    }

    [Fact]
    public async Task Commit_BelowVersion9_IsForMembersOfTheClassicProtocol()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var modern = await wire.BeatAsync(GroupWire.Joining(_group, "m", silo.Topic));
        var classic = await wire.JoinClassicAsync(_group, "consumer", Subscribed());

        Assert.Equal(Code.UnsupportedVersion, await wire.CommitAsync(_group, silo.Topic, "m", modern.MemberEpoch, version: 8));
        Assert.Equal(Code.None, await wire.CommitAsync(_group, silo.Topic, "m", modern.MemberEpoch, version: 9));
        Assert.Equal(Code.StaleMemberEpoch, await wire.CommitAsync(_group, silo.Topic, "m", modern.MemberEpoch - 1, version: 9));
        Assert.Equal(Code.None, await wire.CommitAsync(_group, silo.Topic, classic.MemberId, classic.GenerationId, version: 8));
        Assert.Equal(Code.IllegalGeneration, await wire.CommitAsync(_group, silo.Topic, classic.MemberId, classic.GenerationId + 1, version: 8));
        Assert.Equal(Code.UnknownMemberId, await wire.CommitAsync(_group, silo.Topic, "nobody", 1, version: 8));
        Assert.Equal(Code.UnknownMemberId, await wire.CommitAsync(_group, silo.Topic, "", -1, version: 9));
        var none = $"{_group}-none";
        Assert.Equal(Code.IllegalGeneration, await wire.CommitAsync(none, silo.Topic, "m", 1, version: 8));
        Assert.Equal(Code.GroupIdNotFound, await wire.CommitAsync(none, silo.Topic, "m", 1, version: 9));
    }

    [Fact]
    public async Task Fetch_NamesAMemberAtItsEpoch_OrNobody()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var modern = await wire.BeatAsync(GroupWire.Joining(_group, "m", silo.Topic));
        Assert.Equal(Code.None, await wire.FetchAsync(_group, null, -1));
        Assert.Equal(Code.None, await wire.FetchAsync(_group, "m", modern.MemberEpoch));
        Assert.Equal(Code.StaleMemberEpoch, await wire.FetchAsync(_group, "m", modern.MemberEpoch + 1));
        Assert.Equal(Code.UnknownMemberId, await wire.FetchAsync(_group, "", -1));
        Assert.Equal(Code.UnknownMemberId, await wire.FetchAsync(_group, null, 1));
    }

    [Fact]
    public async Task EmptyGroupId_IsForPositionsAlone()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        Assert.Equal(Code.InvalidGroupId, (Code)(await wire.JoinAsync(new JoinGroupRequest { SessionTimeoutMs = 10_000, ProtocolType = "consumer" })).ErrorCode);
        Assert.Equal(Code.InvalidGroupId, (Code)(await wire.SyncAsync(new SyncGroupRequest { ProtocolType = "consumer", ProtocolName = "range" })).ErrorCode);
        Assert.Equal(Code.InvalidGroupId, (Code)(await wire.BeatClassicAsync(new HeartbeatRequest())).ErrorCode);
        Assert.Equal(Code.InvalidGroupId, (Code)(await wire.LeaveAsync(new LeaveGroupRequest { Members = [new() { MemberId = "m" }] })).ErrorCode);
        Assert.Equal(Code.InvalidGroupId, await DescribeAsync(wire, ""));
        var delete = new OffsetDeleteRequest { GroupId = "", Topics = [new() { Name = silo.Topic, Partitions = [new() { PartitionIndex = 0 }] }] };
        Assert.Equal(Code.InvalidGroupId, (Code)(await wire.DeleteOffsetsAsync(delete)).ErrorCode);
        Assert.Equal(Code.None, await wire.CommitAsync("", silo.Topic, "", -1, version: 8));
        Assert.Equal(Code.None, await wire.FetchAsync("", null, -1));
    }

    [Fact]
    public async Task BlankGroupId_IsOneOfTheClassicProtocol_AndWhatCannotBeKeptIsNone()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var joined = await wire.JoinClassicAsync(" ", "consumer", Subscribed());
        Assert.Equal(Code.None, (Code)joined.ErrorCode);
        Assert.Equal(Code.None, await wire.CommitAsync("\u0001\n", silo.Topic, "", -1, version: 8));
        foreach (var id in new[] { "g\0", new string('g', 256) })
        {
            Assert.Equal(Code.InvalidGroupId, (Code)(await wire.JoinClassicAsync(id, "consumer", Subscribed())).ErrorCode);
            Assert.Equal(Code.InvalidGroupId, await wire.CommitAsync(id, silo.Topic, "", -1, version: 8));
            Assert.Equal(Code.InvalidGroupId, await wire.FetchAsync(id, null, -1));
            Assert.Equal(Code.InvalidGroupId, await DescribeAsync(wire, id));
        }
    }

    private static async Task<Code> DescribeAsync(GroupWire wire, string group)
    {
        var described = await wire.DescribeAsync(new ConsumerGroupDescribeRequest { GroupIds = [group] });
        return (Code)Assert.Single(described.Groups).ErrorCode;
    }

    /// <summary>The embedded protocol's subscription, version 0: the topic, and no user data.</summary>
    private byte[] Subscribed()
    {
        var name = System.Text.Encoding.UTF8.GetBytes(silo.Topic);
        return [0, 0, 0, 0, 0, 1, 0, (byte)name.Length, .. name, 0, 0, 0, 0];
    }
}

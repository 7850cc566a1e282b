using System.Net;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.KafkaClients.Groups;

/// <summary>The life of a member, once in each version of the classic protocol's requests, as old and new clients send them; raw frames to a real silo.</summary>
public sealed class ClassicVersionsTests(BrokerFixture broker) : IAsyncLifetime
{
    private const int Session = 10_000;

    private readonly string _group = $"g-{Guid.NewGuid():N}";
    private KafkaWire _wire = null!;
    private string _topic = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _topic = await Confluent.Topics.CreateAsync(broker.Bootstrap);
        _wire = await KafkaWire.ConnectAsync(IPEndPoint.Parse(broker.Bootstrap), Cancellation);
    }

    public ValueTask DisposeAsync() => _wire.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    public async Task Member_JoinsSyncsBeatsCommitsAndLeaves(short version)
    {
        await FindsItsCoordinatorAsync(Math.Min(version, FindCoordinatorRequest.HighestVersion));
        var joined = await JoinAsync(version);
        Assert.Equal((Code.None, 1, "range", joined.MemberId), ((Code)joined.ErrorCode, joined.GenerationId, joined.ProtocolName, joined.Leader));
        Assert.Equal((joined.MemberId, 7), (Assert.Single(joined.Members).MemberId, joined.Members[0].Metadata.Span[^1]));

        await SyncsAsync(Math.Min(version, SyncGroupRequest.HighestVersion), joined);
        Assert.Equal(Code.None, await BeatAsync(version, joined.MemberId, 1));
        Assert.Equal(Code.IllegalGeneration, await BeatAsync(version, joined.MemberId, 2));
        Assert.Equal(Code.UnknownMemberId, await BeatAsync(version, "nobody", 1));
        await CommitsAsync(Math.Clamp(version, (short)2, (short)9), joined);

        await LeavesAsync(Math.Min(version, LeaveGroupRequest.HighestVersion), joined.MemberId);
        Assert.Equal(Code.UnknownMemberId, await BeatAsync(version, joined.MemberId, 1));
    }

    private async Task FindsItsCoordinatorAsync(short version)
    {
        var request = new FindCoordinatorRequest { KeyType = 0, Key = _group, CoordinatorKeys = version >= 4 ? [_group] : [] };
        var found = await CallAsync(FindCoordinatorRequest.ApiKey, version, request.Write, FindCoordinatorRequest.IsFlexible, FindCoordinatorResponse.Read);
        var coordinator = version >= 4 ? ((Code)found.Coordinators[0].ErrorCode, found.Coordinators[0].Host, found.Coordinators[0].Port) : ((Code)found.ErrorCode, found.Host, found.Port);
        var port = IPEndPoint.Parse(broker.Bootstrap).Port;
        Assert.Equal((Code.None, "127.0.0.1", port), coordinator);
    }

    private async Task<JoinGroupResponse> JoinAsync(short version)
    {
        var request = new JoinGroupRequest
        {
            GroupId = _group,
            SessionTimeoutMs = Session,
            RebalanceTimeoutMs = Session,
            MemberId = "",
            ProtocolType = "consumer",
            Protocols = [new() { Name = "range", Metadata = new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7 } }],
        };
        var first = await CallAsync(JoinGroupRequest.ApiKey, version, request.Write, JoinGroupRequest.IsFlexible, JoinGroupResponse.Read);

        // Clients of before version 4 do not know of ids that are given first.
        Assert.Equal(version >= 4 ? Code.MemberIdRequired : Code.None, (Code)first.ErrorCode);
        Assert.NotEmpty(first.MemberId!);
        request.MemberId = first.MemberId!;
        return version < 4 ? first : await CallAsync(JoinGroupRequest.ApiKey, version, request.Write, JoinGroupRequest.IsFlexible, JoinGroupResponse.Read);
    }

    private async Task SyncsAsync(short version, JoinGroupResponse joined)
    {
        var request = new SyncGroupRequest
        {
            GroupId = _group,
            GenerationId = joined.GenerationId,
            MemberId = joined.MemberId!,
            ProtocolType = version >= 5 ? "consumer" : null,
            ProtocolName = version >= 5 ? "range" : null,
            Assignments = [new() { MemberId = joined.MemberId!, Assignment = new byte[] { 1, 2, 3 } }],
        };
        var synced = await CallAsync(SyncGroupRequest.ApiKey, version, request.Write, SyncGroupRequest.IsFlexible, SyncGroupResponse.Read);
        Assert.Equal(Code.None, (Code)synced.ErrorCode);
        Assert.Equal([1, 2, 3], synced.Assignment.ToArray());
        if (version >= 5)
            Assert.Equal(("consumer", "range"), (synced.ProtocolType, synced.ProtocolName));
    }

    private async Task<Code> BeatAsync(short version, string? memberId, int generation)
    {
        var request = new HeartbeatRequest { GroupId = _group, GenerationId = generation, MemberId = memberId! };
        var beat = await CallAsync(HeartbeatRequest.ApiKey, Math.Min(version, HeartbeatRequest.HighestVersion), request.Write, HeartbeatRequest.IsFlexible, HeartbeatResponse.Read);
        return (Code)beat.ErrorCode;
    }

    /// <summary>What a member writes is told again, with leader epoch and metadata; others write nothing while there is a member.</summary>
    private async Task CommitsAsync(short version, JoinGroupResponse joined)
    {
        Assert.Equal(Code.None, await CommitAsync(version, joined.MemberId!, 1, 0, 12, "where\0I was"));
        Assert.Equal(Code.None, await CommitAsync(version, joined.MemberId!, 1, 0, 1L << 40, "beyond the end"));
        Assert.Equal(Code.IllegalGeneration, await CommitAsync(version, joined.MemberId!, 2, 0, 3, ""));
        Assert.Equal(Code.UnknownMemberId, await CommitAsync(version, "nobody", 1, 0, 3, ""));
        Assert.Equal(Code.UnknownMemberId, await CommitAsync(version, "", -1, 0, 3, ""));
        Assert.Equal(Code.UnknownTopicOrPartition, await CommitAsync(version, joined.MemberId!, 1, 5, 3, ""));
        Assert.Equal(Code.OffsetMetadataTooLarge, await CommitAsync(version, joined.MemberId!, 1, 0, 3, new string('x', 4_097)));
        for (short fetch = 1; fetch <= 9; fetch++)
            Assert.Equal((1L << 40, version >= 6 && fetch >= 5 ? 4 : -1, "beyond the end"), await FetchAsync(fetch));
        Assert.Equal(Code.None, await CommitAsync(version, joined.MemberId!, 1, 0, 12, "where\0I was"));
        Assert.Equal((12L, "where\0I was"), await FetchAsync(9) is var (offset, _, metadata) ? (offset, metadata) : default);
    }

    private async Task<Code> CommitAsync(short version, string memberId, int generation, int partition, long offset, string metadata)
    {
        var request = new OffsetCommitRequest { GroupId = _group, GenerationIdOrMemberEpoch = generation, MemberId = memberId };
        request.Topics.Add(new() { Name = _topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedLeaderEpoch = version >= 6 ? 4 : -1, CommittedMetadata = metadata }] });
        var answer = await CallAsync(OffsetCommitRequest.ApiKey, version, request.Write, OffsetCommitRequest.IsFlexible, OffsetCommitResponse.Read);
        return (Code)answer.Topics[0].Partitions[0].ErrorCode;
    }

    private async Task<(long Offset, int LeaderEpoch, string? Metadata)> FetchAsync(short version)
    {
        var request = new OffsetFetchRequest();
        if (version >= 8)
            request.Groups.AddRange([new() { GroupId = _group, MemberId = null, MemberEpoch = -1, Topics = [new() { Name = _topic, PartitionIndexes = [0] }] }, new() { GroupId = $"{_group}-none", MemberEpoch = -1, Topics = null }]);
        else
            (request.GroupId, request.Topics) = (_group, [new() { Name = _topic, PartitionIndexes = [0] }]);
        var answer = await CallAsync(OffsetFetchRequest.ApiKey, version, request.Write, OffsetFetchRequest.IsFlexible, OffsetFetchResponse.Read);
        if (version < 8)
            return Assert.Single(Assert.Single(answer.Topics).Partitions) is var old ? (old.CommittedOffset, old.CommittedLeaderEpoch, old.Metadata) : default;
        Assert.Equal([_group, $"{_group}-none"], answer.Groups.Select(group => group.GroupId));
        Assert.Empty(answer.Groups[1].Topics);
        var one = Assert.Single(Assert.Single(answer.Groups[0].Topics).Partitions);
        return (one.CommittedOffset, one.CommittedLeaderEpoch, one.Metadata);
    }

    private async Task LeavesAsync(short version, string? memberId)
    {
        var request = new LeaveGroupRequest { GroupId = _group };
        if (version >= 3)
            request.Members.AddRange([new() { MemberId = memberId! }, new() { MemberId = "nobody" }]);
        else
            request.MemberId = memberId!;
        var left = await CallAsync(LeaveGroupRequest.ApiKey, version, request.Write, LeaveGroupRequest.IsFlexible, LeaveGroupResponse.Read);
        Assert.Equal(Code.None, (Code)left.ErrorCode);
        if (version >= 3)
            Assert.Equal([Code.None, Code.UnknownMemberId], left.Members.Select(member => (Code)member.ErrorCode));
    }

    private async Task<TResponse> CallAsync<TResponse>(short key, short version, Action<WireWriter, short> write, Func<short, bool> isFlexible, ReadMessage<TResponse> read)
    {
        var id = await _wire.SendAsync(key, version, writer => write(writer, version), Cancellation);
        return await _wire.ReceiveAsync(id, isFlexible(version), read, version, Cancellation);
    }
}

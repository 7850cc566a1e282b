using System.Net;
using Granary.Gateway.Kafka;
using Granary.Gateway.Kafka.Wire;
using Granary.Support.Kafka;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.KafkaClients.Groups;

/// <summary>The requests of groups as raw frames, one method each, so that a test says what a member sends and in which version.</summary>
internal sealed class GroupWire : IAsyncDisposable
{
    private readonly KafkaWire _wire;

    private GroupWire(KafkaWire wire) => _wire = wire;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<GroupWire> ConnectAsync(string bootstrap) => new(await KafkaWire.ConnectAsync(IPEndPoint.Parse(bootstrap), Cancellation));

    /// <summary>The first heartbeat of a member that joins.</summary>
    public static ConsumerGroupHeartbeatRequest Joining(string group, string member, params string[] topics) => new()
    {
        GroupId = group,
        MemberId = member,
        MemberEpoch = 0,
        RebalanceTimeoutMs = 30_000,
        SubscribedTopicNames = [.. topics],
        TopicPartitions = [],
    };

    public Task<ConsumerGroupHeartbeatResponse> BeatAsync(ConsumerGroupHeartbeatRequest request, short version = 1) => CallAsync(
        ConsumerGroupHeartbeatRequest.ApiKey, version, request.Write, ConsumerGroupHeartbeatRequest.IsFlexible, ConsumerGroupHeartbeatResponse.Read);

    public Task<JoinGroupResponse> JoinAsync(JoinGroupRequest request, short version = 9) =>
        CallAsync(JoinGroupRequest.ApiKey, version, request.Write, JoinGroupRequest.IsFlexible, JoinGroupResponse.Read);

    /// <summary>Joins by the classic protocol with the id that it is given first.</summary>
    public async Task<JoinGroupResponse> JoinClassicAsync(string group, string type, byte[] metadata)
    {
        var request = new JoinGroupRequest
        {
            GroupId = group,
            SessionTimeoutMs = 30_000,
            RebalanceTimeoutMs = 30_000,
            MemberId = "",
            ProtocolType = type,
            Protocols = [new() { Name = "range", Metadata = metadata }],
        };
        request.MemberId = (await JoinAsync(request)).MemberId;
        return await JoinAsync(request);
    }

    public Task<HeartbeatResponse> BeatClassicAsync(HeartbeatRequest request, short version = 4) =>
        CallAsync(HeartbeatRequest.ApiKey, version, request.Write, HeartbeatRequest.IsFlexible, HeartbeatResponse.Read);

    public Task<SyncGroupResponse> SyncAsync(SyncGroupRequest request, short version = 5) =>
        CallAsync(SyncGroupRequest.ApiKey, version, request.Write, SyncGroupRequest.IsFlexible, SyncGroupResponse.Read);

    public Task<LeaveGroupResponse> LeaveAsync(LeaveGroupRequest request, short version = 5) =>
        CallAsync(LeaveGroupRequest.ApiKey, version, request.Write, LeaveGroupRequest.IsFlexible, LeaveGroupResponse.Read);

    public Task<ConsumerGroupDescribeResponse> DescribeAsync(ConsumerGroupDescribeRequest request, short version = 1) => CallAsync(
        ConsumerGroupDescribeRequest.ApiKey, version, request.Write, ConsumerGroupDescribeRequest.IsFlexible, ConsumerGroupDescribeResponse.Read);

    public Task<OffsetDeleteResponse> DeleteOffsetsAsync(OffsetDeleteRequest request) =>
        CallAsync(OffsetDeleteRequest.ApiKey, 0, request.Write, OffsetDeleteRequest.IsFlexible, OffsetDeleteResponse.Read);

    /// <summary>Commits offset 0 of partition 0; the partition's error.</summary>
    public async Task<Code> CommitAsync(string group, string topic, string member, int epoch, short version)
    {
        var request = new OffsetCommitRequest { GroupId = group, GenerationIdOrMemberEpoch = epoch, MemberId = member };
        request.Topics.Add(new() { Name = topic, Partitions = [new() { PartitionIndex = 0, CommittedOffset = 0, CommittedMetadata = "" }] });
        var answer = await CallAsync(OffsetCommitRequest.ApiKey, version, request.Write, OffsetCommitRequest.IsFlexible, OffsetCommitResponse.Read);
        return (Code)answer.Topics[0].Partitions[0].ErrorCode;
    }

    /// <summary>Fetches all offsets in version 9; the group's error.</summary>
    public async Task<Code> FetchAsync(string group, string? member, int epoch) => (Code)(await FetchAllAsync(group, member, epoch)).ErrorCode;

    /// <summary>All offsets, as version 9 tells them.</summary>
    public async Task<OffsetFetchResponse.OffsetFetchResponseGroup> FetchAllAsync(string group, string? member = null, int epoch = -1)
    {
        var request = new OffsetFetchRequest();
        request.Groups.Add(new() { GroupId = group, MemberId = member, MemberEpoch = epoch, Topics = null });
        var answer = await CallAsync(OffsetFetchRequest.ApiKey, 9, request.Write, OffsetFetchRequest.IsFlexible, OffsetFetchResponse.Read);
        return answer.Groups[0];
    }

    public ValueTask DisposeAsync() => _wire.DisposeAsync();

    private async Task<TResponse> CallAsync<TResponse>(short key, short version, Action<WireWriter, short> write, Func<short, bool> isFlexible, ReadMessage<TResponse> read)
    {
        var correlationId = await _wire.SendAsync(key, version, writer => write(writer, version), Cancellation);
        return await _wire.ReceiveAsync(correlationId, isFlexible(version), read, version, Cancellation);
    }
}

// ConsumerGroupHeartbeat, key 68, versions 0-1.
// KIP-848 (the protocol), KIP-1082 (v1: members choose their own ids and may name a regular expression).
using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class ConsumerGroupHeartbeatApi(GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 1;

    private const short FirstVersionWithOwnIds = 1;

    public async ValueTask<ConsumerGroupHeartbeatResponse> HandleAsync(RequestContext context, ConsumerGroupHeartbeatRequest request)
    {
        if (Refuse(context, request) is { } refusal)
            return ToResponse(ConsumerGroupHeartbeatReply.Refuse(request.MemberId, ErrorCode.InvalidRequest, refusal));
        return ToResponse(await groups.BeatAsync(context, request.GroupId, ToHeartbeat(context, request)));
    }

    /// <summary>What must be right before the member's grain can be found.</summary>
    private static string? Refuse(RequestContext context, ConsumerGroupHeartbeatRequest request)
    {
        if (GroupIds.IsBlank(request.GroupId))
            return "GroupId can't be empty.";
        if (GroupIds.Refuse(request.GroupId) is { } wrong)
            return wrong;
        if (request.MemberId.Length > GroupIds.MaxLength)
            return $"MemberId has {request.MemberId.Length} characters, {GroupIds.MaxLength} is the most.";
        if (request.MemberId.Contains('\0'))
            return "MemberId has a zero character (U+0000), which cannot be kept.";
        return request.MemberId.Length == 0 && (context.ApiVersion >= FirstVersionWithOwnIds || request.MemberEpoch != ConsumerGroupHeartbeat.Join) ? "MemberId can't be empty." : null;
    }

    private static ConsumerGroupHeartbeat ToHeartbeat(RequestContext context, ConsumerGroupHeartbeatRequest request) => new()
    {
        // In version 0 it is the group that names its members.
        MemberId = request.MemberId.Length > 0 ? request.MemberId : Guid.NewGuid().ToString(),
        MemberEpoch = request.MemberEpoch,
        InstanceId = request.InstanceId,
        RackId = request.RackId,
        RebalanceTimeout = request.RebalanceTimeoutMs == -1 ? null : TimeSpan.FromMilliseconds(request.RebalanceTimeoutMs),
        SubscribedTopics = request.SubscribedTopicNames is { } topics ? [.. topics] : null,
        SubscribedRegex = request.SubscribedTopicRegex,
        ServerAssignor = request.ServerAssignor,
        OwnedPartitions = request.TopicPartitions is { } owned
            ? [.. owned.SelectMany(topic => topic.Partitions.Select(index => new PartitionId(topic.TopicId, index)))]
            : null,
        ClientId = context.ClientId ?? "",
        ClientHost = context.ClientHost,
    };

    private static ConsumerGroupHeartbeatResponse ToResponse(ConsumerGroupHeartbeatReply reply)
    {
        var response = new ConsumerGroupHeartbeatResponse
        {
            ErrorCode = (short)reply.Error,
            ErrorMessage = reply.Message,
            MemberId = reply.MemberId,
            MemberEpoch = reply.MemberEpoch,
            HeartbeatIntervalMs = (int)reply.HeartbeatInterval.TotalMilliseconds,
        };
        if (reply.Assignment is { } assignment)
        {
            response.Assignment = new();
            foreach (var topic in assignment.GroupBy(partition => partition.TopicId))
                response.Assignment.TopicPartitions.Add(new() { TopicId = topic.Key, Partitions = [.. topic.Select(partition => partition.Index)] });
        }

        return response;
    }
}

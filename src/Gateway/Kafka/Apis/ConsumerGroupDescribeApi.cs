// ConsumerGroupDescribe, key 69, versions 0-1.
// KIP-848 (the protocol), KIP-1099 (v1: which protocol a member speaks).
using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;
using Microsoft.Extensions.Options;
using Described = Granary.Gateway.Kafka.Wire.ConsumerGroupDescribeResponse.ConsumerGroupDescribedGroup;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class ConsumerGroupDescribeApi(GroupCalls groups, TopicDirectory topics, IOptions<KafkaOptions> options)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 1;

    private const sbyte ClassicMember = 0;
    private const sbyte ConsumerMember = 1;

    public async ValueTask<ConsumerGroupDescribeResponse> HandleAsync(RequestContext context, ConsumerGroupDescribeRequest request)
    {
        var described = new Described[request.GroupIds.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, described.Length),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.MaxPartitionCallsPerRequest, CancellationToken = context.Aborted },
            async (index, _) => described[index] = await DescribeAsync(context, request.GroupIds[index], request.IncludeAuthorizedOperations));
        var response = new ConsumerGroupDescribeResponse();
        response.Groups.AddRange(described);
        return response;
    }

    private async ValueTask<Described> DescribeAsync(RequestContext context, string groupId, bool withOperations)
    {
        var group = await groups.AskAsync(context, groupId, grain => grain.DescribeAsync(withLags: false), static error => GroupDescription.Missing with { Error = error });
        var answer = new Described { GroupId = groupId, AuthorizedOperations = AuthorizedOperations.OnGroup(withOperations) };
        if (group.Error != ErrorCode.None || group.Consumer is not { } consumer)
        {
            answer.ErrorCode = (short)(group.Error == ErrorCode.None ? ErrorCode.GroupIdNotFound : group.Error);
            answer.ErrorMessage = group.Error == ErrorCode.None ? $"Group {groupId} is not a consumer group." : group.Error == ErrorCode.GroupIdNotFound ? $"Group {groupId} not found." : null;
            return answer;
        }

        answer.GroupState = group.State.ToString();
        (answer.GroupEpoch, answer.AssignmentEpoch, answer.AssignorName) = (consumer.GroupEpoch, consumer.AssignmentEpoch, consumer.Assignor);
        answer.Members.AddRange(consumer.Members.Select(described => new ConsumerGroupDescribeResponse.ConsumerGroupDescribedMember
        {
            MemberId = described.Member.MemberId,
            InstanceId = described.Member.InstanceId,
            RackId = described.Member.RackId,
            MemberEpoch = described.Member.MemberEpoch,
            ClientId = described.Member.ClientId,
            ClientHost = described.Member.ClientHost,
            SubscribedTopicNames = [.. described.Member.SubscribedTopics],
            SubscribedTopicRegex = described.Member.SubscribedRegex,
            Assignment = Of(described.Member.Assigned),
            TargetAssignment = Of(described.Target),
            MemberType = described.Member.Classic is null ? ConsumerMember : ClassicMember,
        }));
        return answer;
    }

    private ConsumerGroupDescribeResponse.ConsumerGroupDescribedAssignment Of(ImmutableArray<PartitionId> partitions)
    {
        var assignment = new ConsumerGroupDescribeResponse.ConsumerGroupDescribedAssignment();
        assignment.TopicPartitions.AddRange(partitions.GroupBy(partition => partition.TopicId).Select(topic => new ConsumerGroupDescribeResponse.ConsumerGroupDescribedPartitions
        {
            TopicId = topic.Key,
            TopicName = topics.Find(topic.Key)?.Name ?? "",
            Partitions = [.. topic.Select(partition => partition.Index)],
        }));
        return assignment;
    }
}

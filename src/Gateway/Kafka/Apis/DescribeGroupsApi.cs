// DescribeGroups, key 15, versions 0-6.
// KIP-345 (static members, version 4), KIP-430 (authorized operations, version 3), KIP-1043 (GROUP_ID_NOT_FOUND instead of a dead group, version 6).
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DescribeGroupsApi(GroupCalls groups, IOptions<KafkaOptions> options)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 6;

    private const short FirstVersionWithNotFound = 6;

    public async ValueTask<DescribeGroupsResponse> HandleAsync(RequestContext context, DescribeGroupsRequest request)
    {
        var described = new DescribeGroupsResponse.DescribedGroup[request.Groups.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, described.Length),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.MaxPartitionCallsPerRequest, CancellationToken = context.Aborted },
            async (index, _) => described[index] = await DescribeAsync(context, request.Groups[index], request.IncludeAuthorizedOperations));
        var response = new DescribeGroupsResponse();
        response.Groups.AddRange(described);
        return response;
    }

    private async ValueTask<DescribeGroupsResponse.DescribedGroup> DescribeAsync(RequestContext context, string groupId, bool withOperations)
    {
        var group = await groups.AskAsync(
            context, groupId, grain => grain.DescribeAsync(withLags: false), static error => GroupDescription.Missing with { Error = error }, mayBeEmpty: true);
        // The classic protocol's question finds classic groups only, as in Kafka.
        var isOther = group.Consumer is not null;
        if (isOther)
            group = GroupDescription.Missing;
        var isMissing = group.Error == ErrorCode.GroupIdNotFound;
        var tells = isMissing && context.ApiVersion >= FirstVersionWithNotFound;
        var answer = new DescribeGroupsResponse.DescribedGroup
        {
            GroupId = groupId,
            ErrorCode = (short)(isMissing && !tells ? ErrorCode.None : group.Error),
            ErrorMessage = tells ? isOther ? $"Group {groupId} is not a classic group." : $"Group {groupId} not found." : null,
            GroupState = group.Error is ErrorCode.None or ErrorCode.GroupIdNotFound ? group.State.ToString() : "",
            ProtocolType = group.ProtocolType,
            ProtocolData = group.ProtocolName,
            AuthorizedOperations = AuthorizedOperations.OnGroup(withOperations),
        };
        foreach (var member in group.Members)
        {
            answer.Members.Add(new()
            {
                MemberId = member.MemberId,
                GroupInstanceId = member.InstanceId,
                ClientId = member.ClientId,
                ClientHost = member.ClientHost,
                MemberMetadata = member.Metadata,
                MemberAssignment = member.Assignment,
            });
        }

        return answer;
    }
}

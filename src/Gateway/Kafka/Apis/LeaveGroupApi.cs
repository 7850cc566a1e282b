// LeaveGroup, key 13, versions 0-5.
// KIP-345 (many members at once, by instance id too, version 3), KIP-800 (a reason, version 5; it is not kept).
using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class LeaveGroupApi(GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 5;

    private const short FirstVersionWithMembers = 3;

    public async ValueTask<LeaveGroupResponse> HandleAsync(RequestContext context, LeaveGroupRequest request)
    {
        var isBatch = context.ApiVersion >= FirstVersionWithMembers;
        ImmutableArray<LeavingMember> leaving = isBatch
            ? [.. request.Members.Select(member => new LeavingMember(member.MemberId, member.GroupInstanceId))]
            : [new LeavingMember(request.MemberId, null)];
        var errors = await groups.AskAsync<ImmutableArray<ErrorCode>>(
            context, request.GroupId, group => group.LeaveAsync(leaving), error => [.. leaving.Select(_ => error)]);
        var response = new LeaveGroupResponse();
        if (!isBatch)
        {
            response.ErrorCode = (short)errors[0];
            return response;
        }

        // What concerns the group as a whole is said once.
        if (errors.FirstOrDefault(error => error is not (ErrorCode.None or ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId)) is var whole and not ErrorCode.None)
        {
            response.ErrorCode = (short)whole;
            return response;
        }

        for (var index = 0; index < leaving.Length; index++)
            response.Members.Add(new() { MemberId = leaving[index].MemberId, GroupInstanceId = leaving[index].InstanceId, ErrorCode = (short)errors[index] });
        return response;
    }
}

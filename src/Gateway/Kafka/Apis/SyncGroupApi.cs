// SyncGroup, key 14, versions 0-5.
// KIP-345 (static members, version 3), KIP-559 (protocol type and name are checked and answered, version 5).
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class SyncGroupApi(GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 5;

    private const short FirstVersionWithProtocol = 5;

    public async ValueTask<SyncGroupResponse> HandleAsync(RequestContext context, SyncGroupRequest request)
    {
        // From version 5 a member must name its protocol, as Kafka has it.
        if (context.ApiVersion >= FirstVersionWithProtocol && (request.ProtocolType is null || request.ProtocolName is null))
            return new SyncGroupResponse { ErrorCode = (short)ErrorCode.InconsistentGroupProtocol };
        var sync = new SyncRequest(
            new GroupCaller(request.MemberId, request.GroupInstanceId, request.GenerationId),
            request.ProtocolType,
            request.ProtocolName,
            [.. request.Assignments.Select(assignment => new MemberAssignment(assignment.MemberId, assignment.Assignment.ToArray()))]);
        var result = await groups.AskAsync(context, request.GroupId, group => group.SyncAsync(sync), SyncResult.Refuse);
        return new SyncGroupResponse
        {
            ErrorCode = (short)result.Error,
            ProtocolType = result.ProtocolType,
            ProtocolName = result.ProtocolName,
            Assignment = result.Assignment,
        };
    }
}

// JoinGroup, key 11, versions 0-9.
// KIP-62 (rebalance timeout, version 1), KIP-345 (static members, version 5), KIP-394 (a member id first, version 4), KIP-559 (protocol type and
// name in the answer, version 7), KIP-800 (a reason, version 8), KIP-814 (a static leader may skip its assignment, version 9).
// Other than Kafka:
// - A member whose metadata is beyond the coordinator's maximum is refused with INVALID_REQUEST; Kafka fails later, when it writes the group.
// - A rebalance timeout above the coordinator's maximum is cut to it.
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class JoinGroupApi(GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 9;

    private const short FirstVersionWithRebalanceTimeout = 1;
    private const short FirstVersionWithMemberIdFirst = 4;
    private const short FirstVersionWithoutProtocolName = 7;
    private const short FirstVersionWithSkippedAssignment = 9;

    public async ValueTask<JoinGroupResponse> HandleAsync(RequestContext context, JoinGroupRequest request)
    {
        var version = context.ApiVersion;
        var join = new JoinRequest(
            request.MemberId,
            request.GroupInstanceId,
            context.ClientId ?? "",
            context.ClientHost,
            TimeSpan.FromMilliseconds(request.SessionTimeoutMs),
            TimeSpan.FromMilliseconds(version >= FirstVersionWithRebalanceTimeout ? request.RebalanceTimeoutMs : request.SessionTimeoutMs),
            request.ProtocolType,
            // Copied: the group keeps them for long, and they lie in the request's frame.
            [.. request.Protocols.Select(protocol => new GroupProtocol(protocol.Name, protocol.Metadata.ToArray()))],
            version >= FirstVersionWithMemberIdFirst,
            version >= FirstVersionWithSkippedAssignment);
        var result = await groups.AskAsync(context, request.GroupId, group => group.JoinAsync(join), error => JoinResult.Refuse(error, request.MemberId));
        var response = new JoinGroupResponse
        {
            ErrorCode = (short)result.Error,
            GenerationId = result.Generation,
            ProtocolType = result.ProtocolType,
            ProtocolName = result.ProtocolName ?? (version < FirstVersionWithoutProtocolName ? "" : null),
            Leader = result.LeaderId,
            SkipAssignment = result.SkipAssignment,
            MemberId = result.MemberId.Length > 0 ? result.MemberId : request.MemberId,
        };
        foreach (var member in result.Members)
            response.Members.Add(new() { MemberId = member.MemberId, GroupInstanceId = member.InstanceId, Metadata = member.Metadata });
        return response;
    }
}

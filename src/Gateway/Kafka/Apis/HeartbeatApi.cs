// Heartbeat, key 12, versions 0-4.
// KIP-345 (static members, version 3).
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class HeartbeatApi(GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 4;

    public async ValueTask<HeartbeatResponse> HandleAsync(RequestContext context, HeartbeatRequest request)
    {
        var caller = new GroupCaller(request.MemberId, request.GroupInstanceId, request.GenerationId);
        var error = await groups.AskAsync(context, request.GroupId, group => group.HeartbeatAsync(caller), static error => error);
        return new HeartbeatResponse { ErrorCode = (short)error };
    }
}

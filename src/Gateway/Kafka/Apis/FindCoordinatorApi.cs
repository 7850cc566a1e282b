// FindCoordinator, key 10, versions 0-6.
// KIP-98 (key types), KIP-699 (many keys at once, version 4), KIP-890 and KIP-932 (versions 5 and 6 change nothing on the wire).
// Other than Kafka:
// - A group's coordinator follows from the cluster's map, without a look-up. A gateway at the edge is the coordinator of every group.
// - The node that is asked is the coordinator of every transactional id.
// - Share groups (key type 2) do not exist here; asking for their coordinator is refused with INVALID_REQUEST, as Kafka does where they
//   are switched off.
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class FindCoordinatorApi(ClusterView cluster)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 6;

    private const short FirstVersionWithManyKeys = 4;
    private const sbyte Group = 0;
    private const sbyte Transaction = 1;

    public ValueTask<FindCoordinatorResponse> HandleAsync(RequestContext context, FindCoordinatorRequest request)
    {
        var response = new FindCoordinatorResponse();
        if (context.ApiVersion >= FirstVersionWithManyKeys)
        {
            foreach (var key in request.CoordinatorKeys)
                response.Coordinators.Add(Find(context, request.KeyType, key));
            return ValueTask.FromResult(response);
        }

        var only = Find(context, request.KeyType, request.Key);
        response.ErrorCode = only.ErrorCode;
        response.ErrorMessage = only.ErrorMessage;
        response.NodeId = only.NodeId;
        response.Host = only.Host;
        response.Port = only.Port;
        return ValueTask.FromResult(response);
    }

    private FindCoordinatorResponse.Coordinator Find(RequestContext context, sbyte keyType, string key)
    {
        if (Refuse(keyType, key) is { } refusal)
        {
            return new()
            {
                Key = key,
                ErrorCode = (short)ErrorCode.InvalidRequest,
                ErrorMessage = refusal,
                NodeId = -1,
                Host = "",
                Port = -1,
            };
        }

        var broker = keyType == Group ? cluster.CoordinatorOf(context.Listener, key) : cluster.SelfFor(context.Listener);
        return new() { Key = key, NodeId = broker.NodeId, Host = broker.Host, Port = broker.Port };
    }

    /// <summary>Null: the key has a coordinator.</summary>
    internal static string? Refuse(sbyte keyType, string key) => keyType switch
    {
        Group => null,
        Transaction when key.Length == 0 => "The transactional id is empty.",
        Transaction => null,
        _ => $"Coordinator key type {keyType} is not known; 0 (group) and 1 (transaction) are.",
    };
}

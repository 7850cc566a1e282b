// DescribeCluster, key 60, versions 0-2.
// KIP-700, KIP-919 (endpoint types, version 1), KIP-1073 (fenced brokers, version 2).
// Other than Kafka:
// - No broker is ever fenced: one that cannot serve is not in the list.
// - There are no controllers of their own, so their endpoints (type 2) are refused as Kafka's brokers refuse them.
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DescribeClusterApi(ClusterView cluster)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 2;

    private const sbyte Brokers = 1;
    private const sbyte Controllers = 2;

    public ValueTask<DescribeClusterResponse> HandleAsync(RequestContext context, DescribeClusterRequest request)
    {
        var response = new DescribeClusterResponse { EndpointType = request.EndpointType };
        if (request.EndpointType != Brokers)
        {
            (response.ErrorCode, response.ErrorMessage) = request.EndpointType == Controllers
                ? ((short)ErrorCode.MismatchedEndpointType, "This is a broker's endpoint; controllers have none here.")
                : ((short)ErrorCode.UnsupportedEndpointType, $"Endpoint type {request.EndpointType} is not known; 1 (brokers) is.");
            return ValueTask.FromResult(response);
        }

        response.ClusterId = cluster.ClusterId;
        response.ControllerId = cluster.ControllerId;
        response.ClusterAuthorizedOperations = AuthorizedOperations.OnCluster(request.IncludeClusterAuthorizedOperations);
        foreach (var broker in cluster.BrokersFor(context.Listener))
            response.Brokers.Add(new() { BrokerId = broker.NodeId, Host = broker.Host, Port = broker.Port });
        return ValueTask.FromResult(response);
    }
}

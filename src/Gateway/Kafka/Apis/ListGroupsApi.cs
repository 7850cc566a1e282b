// ListGroups, key 16, versions 0-5.
// KIP-518 (states, version 4), KIP-848 (types, version 5). A broker lists the groups that it coordinates; clients ask all brokers.
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class ListGroupsApi(IGrainFactory grains, ClusterView cluster, CallFailures failures)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 5;

    public async ValueTask<ListGroupsResponse> HandleAsync(RequestContext context, ListGroupsRequest request)
    {
        var response = new ListGroupsResponse();
        try
        {
            foreach (var group in await grains.GetGrain<IGroupListGrain>(IGroupListGrain.Key).ListAsync())
            {
                var (state, type) = (group.State.ToString(), group.Type.ToString());
                if (Passes(request.TypesFilter, type) && Passes(request.StatesFilter, state) && !cluster.IsCoordinatedElsewhere(context.Listener, group.GroupId))
                    response.Groups.Add(new() { GroupId = group.GroupId, ProtocolType = group.ProtocolType, GroupState = state, GroupType = type.ToLowerInvariant() });
            }
        }
        catch (Exception failure)
        {
            response.ErrorCode = (short)failures.ToErrorCode("Listing groups", failure, ErrorCode.CoordinatorNotAvailable);
        }

        return response;
    }

    private static bool Passes(List<string> filter, string value) => filter.Count == 0 || filter.Contains(value, StringComparer.OrdinalIgnoreCase);
}

// DeleteGroups, key 42, versions 0-2.
// KIP-229.
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DeleteGroupsApi(GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 2;

    public async ValueTask<DeleteGroupsResponse> HandleAsync(RequestContext context, DeleteGroupsRequest request)
    {
        var response = new DeleteGroupsResponse();
        foreach (var groupId in request.GroupsNames.Distinct())
        {
            var error = await groups.AskAsync(context, groupId, group => group.DeleteAsync(), static error => error, mayBeEmpty: true);
            response.Results.Add(new() { GroupId = groupId, ErrorCode = (short)error });
        }

        return response;
    }
}

// AlterConfigs, key 33, versions 0-2.
// KIP-133. Deprecated for IncrementalAlterConfigs, but older clients know only this one: what is not named goes back to its default.
// Other than Kafka:
// - Brokers' configs are read-only (INVALID_REQUEST).
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class AlterConfigsApi(ConfigAlterations alterations)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 2;

    public async ValueTask<AlterConfigsResponse> HandleAsync(RequestContext context, AlterConfigsRequest request)
    {
        var response = new AlterConfigsResponse();
        List<ResourceChanges> resources =
        [
            .. request.Resources.Select(resource => new ResourceChanges(
                resource.ResourceType,
                resource.ResourceName,
                [.. resource.Configs.Select(config => new ConfigChange(config.Name, ConfigOperation.Set, config.Value))])),
        ];
        foreach (var answer in await alterations.ApplyAsync(resources, replaceAll: true, request.ValidateOnly))
        {
            response.Responses.Add(new()
            {
                ResourceType = answer.Type,
                ResourceName = answer.Name,
                ErrorCode = (short)answer.Error,
                ErrorMessage = answer.Message,
            });
        }

        return response;
    }
}

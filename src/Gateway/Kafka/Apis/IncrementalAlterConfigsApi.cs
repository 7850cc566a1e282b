// IncrementalAlterConfigs, key 44, versions 0-1.
// KIP-339: set, delete, append to and subtract from single configs.
// Other than Kafka:
// - Brokers' configs are read-only (INVALID_REQUEST), and there are no broker loggers (resource type 8).
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class IncrementalAlterConfigsApi(ConfigAlterations alterations)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 1;

    public async ValueTask<IncrementalAlterConfigsResponse> HandleAsync(RequestContext context, IncrementalAlterConfigsRequest request)
    {
        var response = new IncrementalAlterConfigsResponse();
        List<ResourceChanges> resources =
        [
            .. request.Resources.Select(resource => new ResourceChanges(
                resource.ResourceType,
                resource.ResourceName,
                [
                    .. resource.Configs.Select(config =>
                        new ConfigChange(config.Name, (ConfigOperation)config.ConfigOperation, config.Value)),
                ])),
        ];
        foreach (var answer in await alterations.ApplyAsync(resources, replaceAll: false, request.ValidateOnly))
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

// CreateTopics, key 19, versions 2-7.
// KIP-4 (validateOnly), KIP-464 (-1: the cluster's defaults), KIP-525 (configs in the answer, version 5), KIP-516 (topic ids, version 7).
// Other than Kafka:
// - Any replication factor from 1 is taken and answered as 1: PostgreSQL keeps the copies. Assignments by hand count partitions, no more.
// - timeoutMs of 0 or less waits for the answer all the same: it is a matter of milliseconds, and the outcome is known then.
using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class CreateTopicsApi(CatalogCalls catalog, ConfigListing configs)
{
    public const short LowestVersion = 2;
    public const short HighestVersion = 7;

    private const short ReportedReplicationFactor = 1;

    public async ValueTask<CreateTopicsResponse> HandleAsync(RequestContext context, CreateTopicsRequest request)
    {
        var response = new CreateTopicsResponse();
        var duplicates = Duplicates.Of(request.Topics.Select(topic => topic.Name));
        foreach (var name in duplicates)
            response.Topics.Add(Refuse(name, ErrorCode.InvalidRequest, $"Topic '{name}' is named more than once in the request."));

        var wanted = ImmutableArray.CreateBuilder<NewTopic>();
        foreach (var topic in request.Topics.Where(topic => !duplicates.Contains(topic.Name)))
        {
            if (CheckAssignments(topic) is { } refusal)
                response.Topics.Add(Refuse(topic.Name, refusal.Error, refusal.Message));
            else
                wanted.Add(ToNewTopic(topic));
        }

        foreach (var result in await catalog.CreateAsync(wanted.ToImmutable(), request.ValidateOnly, request.TimeoutMs))
        {
            response.Topics.Add(
                result.Topic is { } created ? Describe(created) : Refuse(result.Name ?? "", result.Error, result.Message));
        }

        return response;
    }

    private static (ErrorCode Error, string Message)? CheckAssignments(CreateTopicsRequest.CreatableTopic topic) =>
        topic.Assignments.Count == 0
            ? null
            : ManualAssignments.CheckNewTopic(
                topic.NumPartitions,
                topic.ReplicationFactor,
                [.. topic.Assignments.Select(assignment => (assignment.PartitionIndex, (IReadOnlyList<int>)assignment.BrokerIds))]);

    private static NewTopic ToNewTopic(CreateTopicsRequest.CreatableTopic topic)
    {
        // A config that is named twice counts as it was said last, as in Kafka.
        var overrides = ImmutableDictionary.CreateBuilder<string, string?>();
        foreach (var config in topic.Configs)
            overrides[config.Name] = config.Value;
        return new NewTopic(
            topic.Name,
            topic.Assignments.Count > 0 ? topic.Assignments.Count : topic.NumPartitions,
            overrides.ToImmutable(),
            topic.ReplicationFactor);
    }

    private CreateTopicsResponse.CreatableTopicResult Describe(TopicDescription topic) => new()
    {
        Name = topic.Name,
        TopicId = topic.TopicId,
        NumPartitions = topic.PartitionCount,
        ReplicationFactor = ReportedReplicationFactor,
        Configs =
        [
            .. configs.OfTopic(topic.Overrides).Select(config => new CreateTopicsResponse.CreatableTopicConfigs
            {
                Name = config.Name,
                Value = config.Value,
                ReadOnly = config.IsReadOnly,
                ConfigSource = (sbyte)config.Source,
                IsSensitive = false,
            }),
        ],
    };

    private static CreateTopicsResponse.CreatableTopicResult Refuse(string name, ErrorCode error, string? message) => new()
    {
        Name = name,
        ErrorCode = (short)error,
        ErrorMessage = message,
        NumPartitions = -1,
        ReplicationFactor = -1,
    };
}

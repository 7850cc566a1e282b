// CreatePartitions, key 37, versions 0-3.
// KIP-195: count is how many partitions there shall be in all.
// Other than Kafka:
// - Assignments by hand are checked and count partitions, no more: Granary places them itself.
// - timeoutMs of 0 or less waits for the answer all the same: it is a matter of milliseconds, and the outcome is known then.
using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class CreatePartitionsApi(TopicLookup lookup, CatalogCalls catalog)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 3;

    public async ValueTask<CreatePartitionsResponse> HandleAsync(RequestContext context, CreatePartitionsRequest request)
    {
        var response = new CreatePartitionsResponse();
        var duplicates = Duplicates.Of(request.Topics.Select(topic => topic.Name));
        foreach (var name in duplicates)
            response.Results.Add(Answer(name, ErrorCode.InvalidRequest, $"Topic '{name}' is named more than once in the request."));

        var found = await lookup.FindAsync(request.Topics.Where(topic => topic.Assignments is not null).Select(topic => topic.Name));
        var wanted = ImmutableArray.CreateBuilder<NewPartitions>();
        foreach (var topic in request.Topics.Where(topic => !duplicates.Contains(topic.Name)))
        {
            if (CheckAssignments(topic, found.Topic(topic.Name)) is { } refusal)
                response.Results.Add(Answer(topic.Name, refusal.Error, refusal.Message));
            else
                wanted.Add(new NewPartitions(topic.Name, topic.Count));
        }

        foreach (var result in await catalog.CreatePartitionsAsync(wanted.ToImmutable(), request.ValidateOnly, request.TimeoutMs))
            response.Results.Add(Answer(result.Name ?? "", result.Error, result.Message));
        return response;
    }

    /// <summary>A topic that is not known here is left to the catalog, which refuses it.</summary>
    private static (ErrorCode Error, string Message)? CheckAssignments(
        CreatePartitionsRequest.CreatePartitionsTopic wanted,
        TopicDescription? topic) =>
        topic is null || wanted.Assignments is null
            ? null
            : ManualAssignments.CheckNewPartitions(
                topic.PartitionCount,
                wanted.Count,
                [.. wanted.Assignments.Select(assignment => (IReadOnlyList<int>)assignment.BrokerIds)]);

    private static CreatePartitionsResponse.CreatePartitionsTopicResult Answer(string name, ErrorCode error, string? message) =>
        new() { Name = name, ErrorCode = (short)error, ErrorMessage = message };
}

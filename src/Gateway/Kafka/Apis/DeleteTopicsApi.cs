// DeleteTopics, key 20, versions 1-6.
// KIP-4, KIP-599 (error messages, version 5), KIP-516 (by topic id, version 6).
// Other than Kafka:
// - timeoutMs of 0 or less waits for the answer all the same: it is a matter of milliseconds, and the outcome is known then.
using System.Collections.Immutable;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DeleteTopicsApi(TopicDirectory directory, CatalogCalls catalog)
{
    public const short LowestVersion = 1;
    public const short HighestVersion = 6;

    private const short FirstVersionWithStates = 6;

    public async ValueTask<DeleteTopicsResponse> HandleAsync(RequestContext context, DeleteTopicsRequest request)
    {
        List<TopicName> asked = context.ApiVersion >= FirstVersionWithStates
            ? [.. request.Topics.Select(topic => new TopicName(topic.Name, topic.TopicId))]
            : [.. request.TopicNames.Select(name => new TopicName(name))];

        var response = new DeleteTopicsResponse();
        var accepted = ImmutableArray.CreateBuilder<TopicName>();
        foreach (var (topic, refusal) in Check(asked, topicId => directory.Find(topicId)?.Name))
        {
            if (refusal is null)
                accepted.Add(topic);
            else
                response.Responses.Add(Answer(topic, ErrorCode.InvalidRequest, refusal));
        }

        var names = accepted.ToImmutable();
        var results = await catalog.DeleteAsync(names, request.TimeoutMs);
        for (var i = 0; i < results.Length; i++)
        {
            // A client that asks by id learns the name of what it deleted, and the other way round.
            var topic = results[i].Topic is { } deleted ? new TopicName(deleted.Name, deleted.TopicId) : names[i];
            response.Responses.Add(Answer(topic, results[i].Error, results[i].Message));
        }

        return response;
    }

    /// <summary>
    /// What to delete, each once, and why not (null: nothing against it). A topic that is named more than once, be it by name, by id
    /// or by both, is refused, once.
    /// </summary>
    internal static IEnumerable<(TopicName Topic, string? Refusal)> Check(IReadOnlyList<TopicName> asked, Func<Guid, string?> nameOf)
    {
        var namesTwice = Duplicates.Of(asked.Where(topic => topic.Name is not null).Select(topic => topic.Name!));
        var idsTwice = Duplicates.Of(asked.Where(topic => topic.TopicId != Guid.Empty).Select(topic => topic.TopicId));
        var names = asked.Where(topic => topic.Name is not null && topic.TopicId == Guid.Empty).Select(topic => topic.Name!).ToHashSet();
        foreach (var topic in asked.Distinct())
        {
            yield return (topic, topic switch
            {
                { Name: null } when topic.TopicId == Guid.Empty => "Neither a topic's name nor its id is given.",
                { Name: not null } when topic.TopicId != Guid.Empty => $"Topic '{topic.Name}' is named by name and by id; only one may be given.",
                { Name: { } name } when namesTwice.Contains(name) => $"Topic '{name}' is named more than once in the request.",
                { Name: null } when idsTwice.Contains(topic.TopicId) => $"Topic id {topic.TopicId} is named more than once in the request.",
                { Name: null } when nameOf(topic.TopicId) is { } name && names.Contains(name) =>
                    $"Topic id {topic.TopicId} is that of topic '{name}', which the request names too.",
                _ => null,
            });
        }
    }

    private static DeleteTopicsResponse.DeletableTopicResult Answer(TopicName topic, ErrorCode error, string? message) =>
        new() { Name = topic.Name, TopicId = topic.TopicId, ErrorCode = (short)error, ErrorMessage = message };
}

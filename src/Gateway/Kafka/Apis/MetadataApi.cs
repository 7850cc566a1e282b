// Metadata, key 3, versions 0-13.
// KIP-4 (null: all topics), KIP-204/226 (auto-creation as the client wishes), KIP-320 (leader epochs), KIP-430 (authorized operations),
// KIP-516 (topic ids, from version 10 in answers, from 12 in questions), KIP-1102 (error code of the whole answer, version 13).
// Other than Kafka:
// - A topic that is created on demand is there when the answer leaves; Kafka answers LEADER_NOT_AVAILABLE first and the client asks again.
// - Replicas and in-sync replicas are the one leader: PostgreSQL keeps the copies, and any gateway may serve the partition.
// - A partition always has a leader: the cluster's map gives it one, and its grain is activated by the first call.
using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class MetadataApi(
    ClusterView cluster,
    TopicDirectory directory,
    TopicLookup lookup,
    CatalogCalls catalog,
    IOptions<KafkaOptions> options)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 13;

    private const short FirstVersionWithAutoCreationFlag = 4;
    private const short FirstVersionThatAsksById = 12;

    private readonly KafkaOptions _options = options.Value;

    public async ValueTask<MetadataResponse> HandleAsync(RequestContext context, MetadataRequest request)
    {
        var response = new MetadataResponse
        {
            ClusterId = cluster.ClusterId,
            ControllerId = cluster.ControllerId,
            ClusterAuthorizedOperations = AuthorizedOperations.OnCluster(request.IncludeClusterAuthorizedOperations),
        };
        foreach (var broker in cluster.BrokersFor(context.Listener))
            response.Brokers.Add(new() { NodeId = broker.NodeId, Host = broker.Host, Port = broker.Port });

        if (AsksForAll(context, request))
        {
            foreach (var topic in directory.ByName.Values)
                response.Topics.Add(Describe(context, topic, request));
        }
        else
        {
            await AnswerAsync(context, request, response);
        }

        return response;
    }

    /// <summary>Version 0 cannot say null: there an empty list means all topics, and later it means none.</summary>
    private static bool AsksForAll(RequestContext context, MetadataRequest request) =>
        request.Topics is null || (context.ApiVersion == 0 && request.Topics.Count == 0);

    private async Task AnswerAsync(RequestContext context, MetadataRequest request, MetadataResponse response)
    {
        // A name asked for twice is answered once, as Kafka does: a short question must not make a long answer.
        var byId = request.Topics!.Where(topic => topic.TopicId != Guid.Empty).Select(topic => topic.TopicId).Distinct().ToList();
        var byName = request.Topics!.Where(topic => topic.TopicId == Guid.Empty).Select(topic => topic.Name).Distinct().ToList();

        if (context.ApiVersion < FirstVersionThatAsksById && (byId.Count > 0 || byName.Contains(null)))
        {
            response.ErrorCode = (short)ErrorCode.InvalidRequest;
            foreach (var topic in request.Topics!)
                response.Topics.Add(Refuse(ErrorCode.InvalidRequest, topic.Name ?? "", topic.TopicId));
            return;
        }

        var foundIds = await lookup.FindAsync(byId);
        foreach (var topicId in byId)
        {
            response.Topics.Add(
                foundIds.Topic(topicId) is { } topic ? Describe(context, topic, request) : Refuse(foundIds.UnknownId, null, topicId));
        }

        await AnswerNamesAsync(context, request, byName, response);
    }

    private async Task AnswerNamesAsync(
        RequestContext context,
        MetadataRequest request,
        List<string?> names,
        MetadataResponse response)
    {
        // An entry without name and id names nothing; an invalid name cannot exist, so the catalog is not asked.
        var valid = names.Where(name => name is not null && TopicNames.IsValid(name)).Select(name => name!).ToList();
        var found = await lookup.FindAsync(valid);
        var missing = valid.Where(name => found.Topic(name) is null).ToList();
        var mayCreate = _options.AutoCreateTopics
            && (context.ApiVersion < FirstVersionWithAutoCreationFlag || request.AllowAutoTopicCreation);
        var refusals = mayCreate && found.UnknownName == ErrorCode.UnknownTopicOrPartition
            ? await CreateAsync(missing)
            : missing.ToDictionary(name => name, _ => found.UnknownName);

        foreach (var name in names)
        {
            if (name is null || !TopicNames.IsValid(name))
                response.Topics.Add(Refuse(ErrorCode.InvalidTopicException, name, Guid.Empty));
            else if (found.Topic(name) is { } topic)
                response.Topics.Add(Describe(context, topic, request));
            else
                response.Topics.Add(Refuse(refusals.GetValueOrDefault(name, ErrorCode.LeaderNotAvailable), name, Guid.Empty));
        }
    }

    /// <summary>Creates what is missing; returns why a topic was not created, for those that were not.</summary>
    private async Task<Dictionary<string, ErrorCode>> CreateAsync(List<string> missing)
    {
        var created = missing.Take(_options.MaxAutoCreatedTopicsPerRequest).Select(NewTopic.ByDefault).ToImmutableArray();
        var refusals = missing.Skip(created.Length).ToDictionary(name => name, _ => ErrorCode.UnknownTopicOrPartition);
        foreach (var result in await catalog.CreateAsync(created, validateOnly: false, timeoutMs: 0))
        {
            switch (result.Error)
            {
                case ErrorCode.None:
                    break;
                case ErrorCode.TopicAlreadyExists or ErrorCode.RequestTimedOut:
                    // Someone else was faster, or the catalog is slow: the client's next question will find it.
                    refusals[result.Name!] = ErrorCode.LeaderNotAvailable;
                    break;
                default:
                    refusals[result.Name!] = result.Error;
                    break;
            }
        }

        return refusals;
    }

    private MetadataResponse.MetadataResponseTopic Describe(RequestContext context, TopicDescription topic, MetadataRequest request)
    {
        var described = new MetadataResponse.MetadataResponseTopic
        {
            Name = topic.Name,
            TopicId = topic.TopicId,
            IsInternal = topic.IsInternal,
            TopicAuthorizedOperations = AuthorizedOperations.OnTopic(request.IncludeTopicAuthorizedOperations),
        };
        described.Partitions.EnsureCapacity(topic.PartitionCount);
        for (var index = 0; index < topic.PartitionCount; index++)
        {
            var leader = cluster.LeaderOf(context.Listener, new PartitionId(topic.TopicId, index));
            described.Partitions.Add(new()
            {
                PartitionIndex = index,
                LeaderId = leader.NodeId,
                LeaderEpoch = leader.Epoch,
                ReplicaNodes = [leader.NodeId],
                IsrNodes = [leader.NodeId],
            });
        }

        return described;
    }

    private static MetadataResponse.MetadataResponseTopic Refuse(ErrorCode error, string? name, Guid topicId) =>
        new() { ErrorCode = (short)error, Name = name, TopicId = topicId };
}

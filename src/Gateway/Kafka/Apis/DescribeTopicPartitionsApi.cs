// DescribeTopicPartitions, key 75, version 0.
// KIP-966: topics by name, in pages. An empty list means all topics.
// Other than Kafka:
// - Eligible leader replicas are always null: the one replica is the leader.
// - The largest page is KafkaOptions.MaxPartitionsPerPage (Kafka: max.request.partition.size.limit, also 2000).
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DescribeTopicPartitionsApi(
    ClusterView cluster,
    TopicDirectory directory,
    TopicLookup lookup,
    IOptions<KafkaOptions> options)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 0;

    public async ValueTask<DescribeTopicPartitionsResponse> HandleAsync(RequestContext context, DescribeTopicPartitionsRequest request)
    {
        var response = new DescribeTopicPartitionsResponse();
        if (request.Cursor is { PartitionIndex: < 0 })
        {
            // The answer has no error code of its own, so each topic carries it.
            foreach (var topic in request.Topics)
                response.Topics.Add(Refuse(topic.Name, ErrorCode.InvalidRequest));
            return response;
        }

        var names = request.Topics.Select(topic => topic.Name).ToList();
        var found = await lookup.FindAsync(names.Where(TopicNames.IsValid));
        if (names.Count == 0)
            names.AddRange(directory.ByName.Keys);

        // Looked up once: the directory may change while the page is cut.
        var topics = names.Distinct().ToDictionary(name => name, found.Topic);
        var (page, next) = TopicPages.Cut(
            topics.Keys,
            name => topics[name]?.PartitionCount,
            request.Cursor is { } cursor ? new PageCursor(cursor.TopicName, cursor.PartitionIndex) : null,
            Math.Clamp(request.ResponsePartitionLimit, 1, options.Value.MaxPartitionsPerPage));
        foreach (var slice in page)
        {
            if (topics[slice.Topic] is { } topic)
                response.Topics.Add(Describe(context, topic, slice));
            else
                response.Topics.Add(Refuse(slice.Topic, TopicNames.IsValid(slice.Topic) ? found.UnknownName : ErrorCode.InvalidTopicException));
        }

        if (next is { } more)
            response.NextCursor = new() { TopicName = more.Topic, PartitionIndex = more.Partition };
        return response;
    }

    private DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic Describe(RequestContext context, TopicDescription topic, TopicSlice slice)
    {
        var described = new DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic
        {
            Name = topic.Name,
            TopicId = topic.TopicId,
            IsInternal = topic.IsInternal,
            TopicAuthorizedOperations = AuthorizedOperations.OnTopic(asked: true),
        };
        for (var index = slice.FirstPartition; index < slice.EndPartition; index++)
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

    private static DescribeTopicPartitionsResponse.DescribeTopicPartitionsResponseTopic Refuse(string name, ErrorCode error) =>
        new() { Name = name, ErrorCode = (short)error, TopicAuthorizedOperations = AuthorizedOperations.NotAsked };
}

// Fetch, key 1, versions 4-17.
// KIP-74 (byte limits), KIP-98 (isolation), KIP-227 (incremental sessions), KIP-320 (leader epochs), KIP-516 (topic ids, from v13), KIP-951 (the
// new leader in the answer).
// Other than Kafka:
// - Nobody replicates through this request: the replica id, the followers' fetched epochs and the preferred read replica are passed over.
// - Batches are sent as they were produced, whatever the version: none is decompressed for an old client.
// - There are no transactions yet, so no transaction is listed as aborted.
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Fetching;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class FetchApi(TopicDirectory directory, PartitionGrains grains, FetchSessionCache sessions, FetchSources sources, KafkaOptions options)
{
    public const short LowestVersion = 4;
    public const short HighestVersion = 17;

    private const short FirstVersionWithTopicIds = 13;
    private const int NoReplica = -1;

    public ValueTask<FetchResponse> HandleAsync(RequestContext context, FetchRequest request)
    {
        var answering = AnswerAsync(context, request);
        // A request of a hundred bytes may have an answer of fifty million: a connection reads one at a time, as with Kafka, however many it asks for.
        context.OrderedPart = answering;
        return new ValueTask<FetchResponse>(answering);
    }

    private async Task<FetchResponse> AnswerAsync(RequestContext context, FetchRequest request)
    {
        var usesTopicIds = context.ApiVersion >= FirstVersionWithTopicIds;
        var asked = new FetchSessionAsk(request.SessionId, request.SessionEpoch, usesTopicIds);
        var plan = sessions.Begin(asked, AsksOf(request, usesTopicIds), ForgottenOf(request, usesTopicIds));
        if (plan.Error != ErrorCode.None)
            return new FetchResponse { ErrorCode = (short)plan.Error };

        var isolation = request.IsolationLevel == (sbyte)IsolationLevel.ReadCommitted ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted;
        var clientId = context.ClientId is { Length: <= ReadRequest.MaxClientId } told ? told : null;
        var fetches = plan.Partitions.ConvertAll(partition => new PartitionFetch(partition, isolation) { ClientId = clientId });
        await FindPartitionsAsync(context, fetches, usesTopicIds);
        var found = fetches.FindAll(fetch => fetch.Partition is not null);
        var hasUnknown = found.Count < fetches.Count;
        var maxBytes = Math.Clamp(request.MaxBytes, 0, options.MaxFetchBytes);
        var limits = new FetchLimits(
            Math.Min(request.MinBytes, maxBytes),
            maxBytes,
            hasUnknown ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Clamp(request.MaxWaitMs, 0, options.MaxFetchWait.TotalMilliseconds)));
        var reader = context.Reader ?? new FetchReader();
        await new FetchRound(found, limits, reader, sources).RunAsync(context.Ending);
        found.ForEach(reader.NoteGiven);
        return ToResponse(context, plan, fetches);
    }

    private static List<FetchAsk> AsksOf(FetchRequest request, bool usesTopicIds)
    {
        var asks = new List<FetchAsk>();
        foreach (var topic in request.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                var key = KeyOf(usesTopicIds, topic.TopicId, topic.Topic, partition.Partition);
                asks.Add(new FetchAsk(key, partition.FetchOffset, partition.PartitionMaxBytes, partition.CurrentLeaderEpoch));
            }
        }

        return asks;
    }

    private static List<FetchKey> ForgottenOf(FetchRequest request, bool usesTopicIds)
    {
        var keys = new List<FetchKey>();
        foreach (var topic in request.ForgottenTopicsData)
        {
            foreach (var partition in topic.Partitions)
                keys.Add(KeyOf(usesTopicIds, topic.TopicId, topic.Topic, partition));
        }

        return keys;
    }

    private static FetchKey KeyOf(bool usesTopicIds, Guid topicId, string topic, int partition) =>
        usesTopicIds ? new FetchKey(topicId, "", partition) : new FetchKey(Guid.Empty, topic, partition);

    /// <summary>Finds each fetch's partition, asking the catalog once where this process has not heard of one. Those not found get their error.</summary>
    private async ValueTask FindPartitionsAsync(RequestContext context, List<PartitionFetch> fetches, bool usesTopicIds)
    {
        if (fetches.TrueForAll(fetch => TryFind(context, fetch)))
            return;
        var error = usesTopicIds ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
        try
        {
            await directory.RefreshAsync();
        }
        catch (Exception failure)
        {
            error = sources.Failures.ToErrorCode(default, failure);
        }

        foreach (var fetch in fetches)
        {
            if (!TryFind(context, fetch))
                fetch.Result = PartitionFetch.Failed(TopicOf(fetch) is null ? error : ErrorCode.UnknownTopicOrPartition);
        }
    }

    private bool TryFind(RequestContext context, PartitionFetch fetch)
    {
        if (TopicOf(fetch) is { } topic)
            fetch.Partition = grains.Find(topic, fetch.Ask.Key.Index);
        if (fetch.Partition is { } partition && sources.Cluster.IsElsewhere(context.Listener, partition.Id))
            fetch.Result = PartitionFetch.Failed(ErrorCode.NotLeaderOrFollower);
        return fetch.Partition is not null;
    }

    private TopicDescription? TopicOf(PartitionFetch fetch)
    {
        var key = fetch.Ask.Key;
        return key.TopicId != Guid.Empty ? directory.Find(key.TopicId) : directory.Find(key.Topic);
    }

    private FetchResponse ToResponse(RequestContext context, FetchPlan plan, List<PartitionFetch> fetches)
    {
        var news = new FetchNews[fetches.Count];
        for (var i = 0; i < news.Length; i++)
            news[i] = fetches[i].News;
        var isNews = new bool[fetches.Count];
        var response = new FetchResponse { SessionId = sessions.Finish(plan, news, isNews) };
        FetchResponse.FetchableTopicResponse? topic = null;
        var namesLeaders = false;
        for (var i = 0; i < news.Length; i++)
        {
            if (!isNews[i])
                continue;
            var key = fetches[i].Ask.Key;
            if (topic is null || topic.TopicId != key.TopicId || topic.Topic != key.Topic)
            {
                topic = new FetchResponse.FetchableTopicResponse { Topic = key.Topic, TopicId = key.TopicId };
                response.Responses.Add(topic);
            }

            topic.Partitions.Add(ToPartition(context, fetches[i], ref namesLeaders));
        }

        if (namesLeaders)
        {
            foreach (var broker in sources.Cluster.BrokersFor(context.Listener))
                response.NodeEndpoints.Add(new() { NodeId = broker.NodeId, Host = broker.Host, Port = broker.Port });
        }

        return response;
    }

    private FetchResponse.PartitionData ToPartition(RequestContext context, PartitionFetch fetch, ref bool namesLeaders)
    {
        var result = fetch.Result;
        var answer = new FetchResponse.PartitionData
        {
            PartitionIndex = fetch.Ask.Key.Index,
            ErrorCode = (short)result.Error,
            HighWatermark = result.HighWatermark,
            LastStableOffset = result.LastStableOffset,
            LogStartOffset = result.LogStartOffset,
            AbortedTransactions = fetch.Isolation == IsolationLevel.ReadCommitted ? [] : null,
            PreferredReadReplica = NoReplica,
            Records = result.Records,
        };
        if (result.Error is ErrorCode.NotLeaderOrFollower or ErrorCode.FencedLeaderEpoch && fetch.Partition is { } partition)
        {
            var leader = sources.Cluster.LeaderOf(context.Listener, partition.Id);
            answer.CurrentLeader = new() { LeaderId = leader.NodeId, LeaderEpoch = leader.Epoch };
            namesLeaders = true;
        }

        return answer;
    }
}

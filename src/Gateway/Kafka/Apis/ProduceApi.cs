// Produce, key 0, versions 0-12.
// KIP-98 (idempotence), KIP-467 (error messages), KIP-951 (the new leader in the answer), KIP-890 (v12: transactions without AddPartitionsToTxn).
// Other than Kafka:
// - Batches of magic 0 and 1 are refused with UNSUPPORTED_FOR_MESSAGE_FORMAT; Kafka would convert them. The versions that carry them are
//   advertised all the same: librdkafka before 2.3 looks for version 0 before it compresses.
// - acks 1 and all are the same: an answer means that PostgreSQL has the batch on disk.
// - A partition that another broker leads is refused with NOT_LEADER_OR_FOLLOWER, so that clients go to the process that owns the log. One that
//   is being moved is passed on by a grain call meanwhile.
// - Transactional batches are refused with INVALID_TXN_STATE: there are no transactions yet.
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class ProduceApi(TopicDirectory directory, PartitionGrains grains, ClusterView cluster, PartitionFailures failures, TimeProvider time)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 12;

    private const short AcksNone = 0;
    private const short AcksLeader = 1;
    private const short AcksAll = -1;

    public ValueTask<ProduceResponse> HandleAsync(RequestContext context, ProduceRequest request)
    {
        context.NoReply = request.Acks == AcksNone;
        var appends = AppendsOf(request);
        if (request.Acks is not (AcksNone or AcksLeader or AcksAll))
            return new ValueTask<ProduceResponse>(RefuseAll(context, request, appends, ErrorCode.InvalidRequiredAcks, $"acks is {request.Acks}, where -1, 0 or 1 is wanted"));
        foreach (var append in appends)
            append.Check(context.ApiVersion);

        // Order: whatever is sent to partitions is sent before this method returns, or else the connection waits for it.
        if (appends.TrueForAll(append => TryResolve(context, append) && append.IsReadyToSend))
        {
            foreach (var append in appends)
                append.Send();
            return AnswerAsync(context, request, appends);
        }

        var answering = AnswerWithCareAsync(context, request, appends);
        context.OrderedPart = answering;
        return new ValueTask<ProduceResponse>(answering);
    }

    private static List<PartitionAppend> AppendsOf(ProduceRequest request)
    {
        var appends = new List<PartitionAppend>(request.TopicData.Count == 0 ? 0 : request.TopicData[0].PartitionData.Count);
        foreach (var topic in request.TopicData)
        {
            foreach (var partition in topic.PartitionData)
                appends.Add(new PartitionAppend(topic.Name, partition.Index, partition.Records));
        }

        return appends;
    }

    /// <summary>Finds the append's partition by what this process knows; false where the catalog would have to be asked.</summary>
    private bool TryResolve(RequestContext context, PartitionAppend append)
    {
        if (append.IsAnswered || append.Partition is not null)
            return true;
        if (directory.Find(append.Topic) is not { } topic || grains.Find(topic, append.Index) is not { } partition)
            return false;
        append.Partition = partition;
        if (cluster.IsElsewhere(context.Listener, partition.Id))
        {
            append.Refuse(ErrorCode.NotLeaderOrFollower, "another broker leads this partition");
            partition.NoteRefusal(time);
        }

        return true;
    }

    /// <summary>For topics not heard of, and for partitions that are not settled: the connection starts nothing else until this is answered.</summary>
    private async Task<ProduceResponse> AnswerWithCareAsync(RequestContext context, ProduceRequest request, List<PartitionAppend> appends)
    {
        if (!appends.TrueForAll(append => TryResolve(context, append)))
            await RefreshAsync(context, appends);
        foreach (var append in appends)
        {
            if (TryResolve(context, append))
                append.Send();
            else
                append.Refuse(ErrorCode.UnknownTopicOrPartition, $"topic {append.Topic} with a partition {append.Index} does not exist");
        }

        return await AnswerAsync(context, request, appends);
    }

    private async Task RefreshAsync(RequestContext context, List<PartitionAppend> appends)
    {
        try
        {
            await directory.RefreshAsync();
        }
        catch (Exception failure)
        {
            foreach (var append in appends)
            {
                if (!TryResolve(context, append))
                    append.Refuse(failures.ToErrorCode(default, failure), "the topic catalog does not answer");
            }
        }
    }

    private async ValueTask<ProduceResponse> AnswerAsync(RequestContext context, ProduceRequest request, List<PartitionAppend> appends)
    {
        await WaitAsync(appends, TimeSpan.FromMilliseconds(Math.Max(0, request.TimeoutMs)));
        foreach (var append in appends)
            append.TakeAnswer(cluster, failures, time, request.TimeoutMs);
        return ToResponse(context, request, appends);
    }

    private async ValueTask WaitAsync(List<PartitionAppend> appends, TimeSpan timeout)
    {
        var sent = new List<Task>(appends.Count);
        foreach (var append in appends)
        {
            if (append.Sent is { IsCompleted: false } task)
                sent.Add(task);
        }

        if (sent.Count == 0)
            return;
        var all = sent.Count == 1 ? sent[0] : Task.WhenAll(sent);
        // A timeout and a failed append alike are seen by looking at each append.
        await ((Task)all.WaitAsync(timeout, time)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private ProduceResponse RefuseAll(RequestContext context, ProduceRequest request, List<PartitionAppend> appends, ErrorCode error, string message)
    {
        foreach (var append in appends)
            append.Refuse(error, message);
        return ToResponse(context, request, appends);
    }

    private ProduceResponse ToResponse(RequestContext context, ProduceRequest request, List<PartitionAppend> appends)
    {
        if (context.NoReply)
        {
            CloseOnError(context, appends);
            return new ProduceResponse();
        }

        var response = new ProduceResponse();
        response.Responses.EnsureCapacity(request.TopicData.Count);
        var namesLeaders = false;
        var next = 0;
        foreach (var topic in request.TopicData)
        {
            var answer = new ProduceResponse.TopicProduceResponse { Name = topic.Name };
            answer.PartitionResponses.EnsureCapacity(topic.PartitionData.Count);
            for (var i = 0; i < topic.PartitionData.Count; i++)
                answer.PartitionResponses.Add(ToPartitionResponse(context, appends[next++], ref namesLeaders));
            response.Responses.Add(answer);
        }

        if (namesLeaders)
        {
            foreach (var broker in cluster.BrokersFor(context.Listener))
                response.NodeEndpoints.Add(new() { NodeId = broker.NodeId, Host = broker.Host, Port = broker.Port });
        }

        return response;
    }

    private ProduceResponse.PartitionProduceResponse ToPartitionResponse(RequestContext context, PartitionAppend append, ref bool namesLeaders)
    {
        var result = append.Result;
        var answer = new ProduceResponse.PartitionProduceResponse
        {
            Index = append.Index,
            ErrorCode = (short)result.Error,
            BaseOffset = result.BaseOffset,
            LogAppendTimeMs = result.LogAppendTime,
            LogStartOffset = result.LogStartOffset,
            ErrorMessage = result.Message,
        };
        if (result.Error == ErrorCode.NotLeaderOrFollower && append.Partition is { } partition)
        {
            var leader = cluster.LeaderOf(context.Listener, partition.Id);
            answer.CurrentLeader = new() { LeaderId = leader.NodeId, LeaderEpoch = leader.Epoch };
            namesLeaders = true;
        }

        return answer;
    }

    /// <summary>A producer that wants no replies learns of an error by losing its connection, as from Kafka.</summary>
    private static void CloseOnError(RequestContext context, List<PartitionAppend> appends)
    {
        var failed = appends.Find(append => append.Result.Error != ErrorCode.None);
        if (failed is not null)
            context.Close($"a Produce with acks 0 failed: topic {failed.Topic}, partition {failed.Index}: {failed.Result.Error}: {failed.Result.Message}");
    }
}

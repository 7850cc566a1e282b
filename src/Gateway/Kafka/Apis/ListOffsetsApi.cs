// ListOffsets, key 2, versions 1-10.
// KIP-79 (by timestamp), KIP-98 (isolation), KIP-320 (leader epochs), KIP-734 (max timestamp, version 7), KIP-405 (earliest local,
// version 8), KIP-1005 (latest tiered, version 9), KIP-1075 (timeout, version 10).
// Other than Kafka:
// - Nothing is tiered: "earliest local" is "earliest", and "latest tiered" finds nothing (offset -1).
// - timeoutMs (version 10) bounds Kafka's reads from remote storage; there are none here, and it is not looked at.
// - replicaId is not looked at: no client copies a log as a follower.
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class ListOffsetsApi(TopicLookup lookup, PartitionCalls partitions)
{
    public const short LowestVersion = 1;
    public const short HighestVersion = 10;

    public async ValueTask<ListOffsetsResponse> HandleAsync(RequestContext context, ListOffsetsRequest request)
    {
        var response = new ListOffsetsResponse();
        var found = await lookup.FindAsync(request.Topics.Select(topic => topic.Name));
        var duplicates = Duplicates.Of(
            request.Topics.SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex))));
        var calls = new List<PartitionCall>();
        foreach (var topic in request.Topics)
        {
            var answered = new ListOffsetsResponse.ListOffsetsTopicResponse { Name = topic.Name };
            response.Topics.Add(answered);
            foreach (var asked in topic.Partitions)
            {
                var answer = new ListOffsetsResponse.ListOffsetsPartitionResponse
                {
                    PartitionIndex = asked.PartitionIndex,
                    Offset = -1,
                    Timestamp = -1,
                    LeaderEpoch = -1,
                };
                answered.Partitions.Add(answer);
                var error = found.Partition(topic.Name, asked.PartitionIndex, out var partition);
                if (duplicates.Contains((topic.Name, asked.PartitionIndex)))
                    error = ErrorCode.InvalidRequest;
                else if (!IsAllowed(asked.Timestamp, context.ApiVersion))
                    error = ErrorCode.UnsupportedVersion;
                answer.ErrorCode = (short)error;
                if (error == ErrorCode.None)
                    calls.Add(Ask(partition, ToQuery(asked, request.IsolationLevel), answer));
            }
        }

        await partitions.MakeAsync(context, calls);
        return response;
    }

    /// <summary>The special timestamps came one by one; a version that does not know one is told so, as is any other negative value.</summary>
    internal static bool IsAllowed(long timestamp, short version) => timestamp switch
    {
        >= 0 or OffsetQuery.Latest or OffsetQuery.Earliest => true,
        OffsetQuery.MaxTimestamp => version >= 7,
        OffsetQuery.EarliestLocal => version >= 8,
        OffsetQuery.LatestTiered => version >= 9,
        _ => false,
    };

    private static OffsetQuery ToQuery(ListOffsetsRequest.ListOffsetsPartition asked, sbyte isolation) => new(
        asked.Timestamp,
        asked.CurrentLeaderEpoch,
        isolation == (sbyte)IsolationLevel.ReadCommitted ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted);

    private static PartitionCall Ask(PartitionId partition, OffsetQuery query, ListOffsetsResponse.ListOffsetsPartitionResponse answer) =>
        new(
            partition,
            async grain =>
            {
                var result = await grain.FindOffsetAsync(query);
                answer.ErrorCode = (short)result.Error;
                if (result.Error != ErrorCode.None)
                    return;
                answer.Offset = result.Offset;
                answer.Timestamp = result.Timestamp;
                answer.LeaderEpoch = result.LeaderEpoch;
            },
            error => answer.ErrorCode = (short)error);
}

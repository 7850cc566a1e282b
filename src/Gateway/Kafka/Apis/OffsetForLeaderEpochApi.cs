// OffsetForLeaderEpoch, key 23, versions 2-4.
// KIP-101, KIP-279 and KIP-320: a consumer learns where an epoch ended and so notices that a log was cut below its position.
// Other than Kafka:
// - replicaId is not looked at: no client copies a log as a follower.
// - On a connection that was given records, no epoch ends below where the log ended then. librdkafka (2.16) asks where the epoch of its position ended, takes what a
//   fetch that is still on its way brings of the next epochs, and holds the answer, which is right, against the position that it has then: it takes the log for
//   cut, goes back to where the epoch ended, and drops what it had fetched. What the application was not given yet of the records before that, it never is. No
//   log here is ever cut below what was read, so nothing is hidden from anybody.
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class OffsetForLeaderEpochApi(TopicLookup lookup, PartitionCalls partitions)
{
    public const short LowestVersion = 2;
    public const short HighestVersion = 4;

    public async ValueTask<OffsetForLeaderEpochResponse> HandleAsync(RequestContext context, OffsetForLeaderEpochRequest request)
    {
        var response = new OffsetForLeaderEpochResponse();
        var found = await lookup.FindAsync(request.Topics.Select(topic => topic.Topic));
        var calls = new List<PartitionCall>();
        foreach (var topic in request.Topics)
        {
            var answered = new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult { Topic = topic.Topic };
            response.Topics.Add(answered);
            foreach (var asked in topic.Partitions)
            {
                var error = found.Partition(topic.Topic, asked.Partition, out var partition);
                var answer = new OffsetForLeaderEpochResponse.EpochEndOffset
                {
                    Partition = asked.Partition,
                    ErrorCode = (short)error,
                    LeaderEpoch = -1,
                    EndOffset = -1,
                };
                answered.Partitions.Add(answer);
                if (error == ErrorCode.None)
                    calls.Add(Ask(context, partition, asked, answer));
            }
        }

        await partitions.MakeAsync(context, calls);
        return response;
    }

    private static PartitionCall Ask(
        RequestContext context,
        PartitionId partition,
        OffsetForLeaderEpochRequest.OffsetForLeaderPartition asked,
        OffsetForLeaderEpochResponse.EpochEndOffset answer) =>
        new(
            partition,
            async grain =>
            {
                var result = await grain.FindEpochEndAsync(asked.LeaderEpoch, asked.CurrentLeaderEpoch);
                answer.ErrorCode = (short)result.Error;
                if (result.Error != ErrorCode.None)
                    return;
                answer.LeaderEpoch = result.LeaderEpoch;
                answer.EndOffset = result.EndOffset < 0 ? result.EndOffset : Math.Max(result.EndOffset, context.Reader?.GivenBelow(partition) ?? -1);
            },
            error => answer.ErrorCode = (short)error);
}

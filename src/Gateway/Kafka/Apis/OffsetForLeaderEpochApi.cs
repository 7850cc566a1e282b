// OffsetForLeaderEpoch, key 23, versions 2-4.
// KIP-101, KIP-279 and KIP-320: a consumer learns where an epoch ended and so notices that a log was cut below its position.
// Other than Kafka:
// - replicaId is not looked at: no client copies a log as a follower.
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
                    calls.Add(Ask(partition, asked.LeaderEpoch, asked.CurrentLeaderEpoch, answer));
            }
        }

        await partitions.MakeAsync(context, calls);
        return response;
    }

    private static PartitionCall Ask(
        PartitionId partition,
        int leaderEpoch,
        int currentLeaderEpoch,
        OffsetForLeaderEpochResponse.EpochEndOffset answer) =>
        new(
            partition,
            async grain =>
            {
                var result = await grain.FindEpochEndAsync(leaderEpoch, currentLeaderEpoch);
                answer.ErrorCode = (short)result.Error;
                if (result.Error != ErrorCode.None)
                    return;
                answer.LeaderEpoch = result.LeaderEpoch;
                answer.EndOffset = result.EndOffset;
            },
            error => answer.ErrorCode = (short)error);
}

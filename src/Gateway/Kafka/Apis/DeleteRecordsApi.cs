// DeleteRecords, key 21, versions 0-2.
// KIP-107: the log start offset moves up to the asked offset; -1 stands for the high watermark.
// Other than Kafka:
// - timeoutMs bounds Kafka's wait for its followers; there are none here, and it is not looked at.
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DeleteRecordsApi(TopicLookup lookup, PartitionCalls partitions)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 2;

    private const long UnknownLowWatermark = -1;

    public async ValueTask<DeleteRecordsResponse> HandleAsync(RequestContext context, DeleteRecordsRequest request)
    {
        var response = new DeleteRecordsResponse();
        var found = await lookup.FindAsync(request.Topics.Select(topic => topic.Name));
        var calls = new List<PartitionCall>();
        foreach (var topic in request.Topics)
        {
            var answered = new DeleteRecordsResponse.DeleteRecordsTopicResult { Name = topic.Name };
            response.Topics.Add(answered);
            foreach (var asked in topic.Partitions)
            {
                var error = found.Partition(topic.Name, asked.PartitionIndex, out var partition);
                if (found.Topic(topic.Name) is { IsInternal: true })
                    error = ErrorCode.InvalidTopicException;
                var answer = new DeleteRecordsResponse.DeleteRecordsPartitionResult
                {
                    PartitionIndex = asked.PartitionIndex,
                    ErrorCode = (short)error,
                    LowWatermark = UnknownLowWatermark,
                };
                answered.Partitions.Add(answer);
                if (error == ErrorCode.None)
                    calls.Add(Ask(partition, asked.Offset, answer));
            }
        }

        await partitions.MakeAsync(context, calls);
        return response;
    }

    private static PartitionCall Ask(
        PartitionId partition,
        long beforeOffset,
        DeleteRecordsResponse.DeleteRecordsPartitionResult answer) =>
        new(
            partition,
            async grain =>
            {
                var result = await grain.DeleteRecordsAsync(beforeOffset);
                answer.ErrorCode = (short)result.Error;
                if (result.Error == ErrorCode.None)
                    answer.LowWatermark = result.LowWatermark;
            },
            error => answer.ErrorCode = (short)error);
}

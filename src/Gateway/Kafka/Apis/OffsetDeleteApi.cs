// OffsetDelete, key 47, version 0.
// KIP-496: forgets positions of topics that the group no longer reads.
using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class OffsetDeleteApi(TopicLookup lookup, GroupCalls groups)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 0;

    public async ValueTask<OffsetDeleteResponse> HandleAsync(RequestContext context, OffsetDeleteRequest request)
    {
        var response = new OffsetDeleteResponse();
        var found = await lookup.FindAsync(request.Topics.Select(topic => topic.Name));
        var partitions = ImmutableArray.CreateBuilder<PartitionId>();
        var answers = new List<OffsetDeleteResponse.OffsetDeleteResponsePartition>();
        foreach (var topic in request.Topics)
        {
            var answered = new OffsetDeleteResponse.OffsetDeleteResponseTopic { Name = topic.Name };
            response.Topics.Add(answered);
            foreach (var asked in topic.Partitions)
            {
                var error = found.GroupPartition(topic.Name, asked.PartitionIndex, out var partition);
                var answer = new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = asked.PartitionIndex, ErrorCode = (short)error };
                answered.Partitions.Add(answer);
                if (error != ErrorCode.None)
                    continue;
                partitions.Add(partition);
                answers.Add(answer);
            }
        }

        if (answers.Count == 0)
            return response;
        var errors = await groups.AskAsync<ImmutableArray<ErrorCode>>(
            context, request.GroupId, group => group.DeleteOffsetsAsync(partitions.ToImmutable()), error => [.. answers.Select(_ => error)]);
        // What concerns the group as a whole is said once, without topics.
        if (errors.FirstOrDefault(error => error is not (ErrorCode.None or ErrorCode.GroupSubscribedToTopic)) is var whole and not ErrorCode.None)
            return new OffsetDeleteResponse { ErrorCode = (short)whole };
        for (var index = 0; index < answers.Count; index++)
            answers[index].ErrorCode = (short)errors[index];
        return response;
    }
}

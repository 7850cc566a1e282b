// OffsetCommit, key 8, versions 2-9.
// KIP-320 (leader epochs, version 6), KIP-345 (static members, version 7), KIP-848 (member epochs, version 9).
// Other than Kafka:
// - retentionTimeMs (versions 2-4) is not looked at; the coordinator's retention holds for all positions.
using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class OffsetCommitApi(TopicLookup lookup, GroupCalls groups)
{
    public const short LowestVersion = 2;
    public const short HighestVersion = 9;

    private const short FirstVersionWithMemberEpochs = 9;

    public async ValueTask<OffsetCommitResponse> HandleAsync(RequestContext context, OffsetCommitRequest request)
    {
        // Where the catalog has to be asked, what comes after on the connection waits for it, so that a later commit does not overtake this one.
        var looking = lookup.FindAsync(request.Topics.Select(topic => topic.Name)).Preserve();
        TaskCompletionSource? sent = null;
        if (!looking.IsCompleted)
            context.OrderedPart = (sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        try
        {
            var asking = AskAsync(context, request, await looking);
            sent?.SetResult();
            return await asking;
        }
        finally
        {
            sent?.TrySetResult();
        }
    }

    private async ValueTask<OffsetCommitResponse> AskAsync(RequestContext context, OffsetCommitRequest request, TopicLookup.Found found)
    {
        var response = new OffsetCommitResponse();
        var offsets = ImmutableArray.CreateBuilder<OffsetToCommit>();
        var answers = new List<OffsetCommitResponse.OffsetCommitResponsePartition>();
        foreach (var topic in request.Topics)
        {
            var answered = new OffsetCommitResponse.OffsetCommitResponseTopic { Name = topic.Name };
            response.Topics.Add(answered);
            foreach (var asked in topic.Partitions)
            {
                var error = found.GroupPartition(topic.Name, asked.PartitionIndex, out var partition);
                var answer = new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = asked.PartitionIndex, ErrorCode = (short)error };
                answered.Partitions.Add(answer);
                if (error != ErrorCode.None)
                    continue;
                offsets.Add(new OffsetToCommit(partition, asked.CommittedOffset, asked.CommittedLeaderEpoch, asked.CommittedMetadata ?? ""));
                answers.Add(answer);
            }
        }

        if (answers.Count == 0)
            return response;
        var commit = new CommitRequest(
            new GroupCaller(request.MemberId, request.GroupInstanceId, request.GenerationIdOrMemberEpoch),
            offsets.ToImmutable(),
            context.ApiVersion >= FirstVersionWithMemberEpochs);
        var errors = await groups.AskAsync<ImmutableArray<ErrorCode>>(
            context, request.GroupId, group => group.CommitAsync(commit), error => [.. answers.Select(_ => error)], mayBeEmpty: true);
        for (var index = 0; index < answers.Count; index++)
            answers[index].ErrorCode = (short)errors[index];
        return response;
    }
}

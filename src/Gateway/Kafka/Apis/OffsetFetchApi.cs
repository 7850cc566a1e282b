// OffsetFetch, key 9, versions 1-9.
// KIP-320 (leader epochs, version 5), KIP-447 (require stable, version 7), KIP-709 (many groups, version 8), KIP-848 (member id and epoch, version 9).
// Other than Kafka:
// - requireStable is taken and changes nothing: no transaction can hold positions back yet.
// - A broker that does not coordinate the group asks the one that does, instead of NOT_COORDINATOR (GroupCalls.FetchOffsetsAsync says why).
using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;
using Asked = (string Name, System.Collections.Generic.IReadOnlyList<int> Partitions);

namespace Granary.Gateway.Kafka.Apis;

internal sealed class OffsetFetchApi(TopicLookup lookup, TopicDirectory directory, GroupCalls groups, TimeProvider time)
{
    public const short LowestVersion = 1;
    public const short HighestVersion = 9;

    private const short FirstVersionWithGroupError = 2;
    private const short FirstVersionWithManyGroups = 8;

    public async ValueTask<OffsetFetchResponse> HandleAsync(RequestContext context, OffsetFetchRequest request)
    {
        var response = new OffsetFetchResponse();
        var began = time.GetTimestamp();
        if (context.ApiVersion >= FirstVersionWithManyGroups)
        {
            foreach (var group in request.Groups)
                response.Groups.Add(await FetchAsync(context, began, group.GroupId, CallerOf(group.MemberId, group.MemberEpoch), group.Topics?.ConvertAll(topic => new Asked(topic.Name, topic.PartitionIndexes))));
            return response;
        }

        var only = await FetchAsync(context, began, request.GroupId, null, request.Topics?.ConvertAll(topic => new Asked(topic.Name, topic.PartitionIndexes)));
        response.ErrorCode = only.ErrorCode;
        foreach (var topic in only.Topics)
        {
            var answered = new OffsetFetchResponse.OffsetFetchResponseTopic { Name = topic.Name };
            response.Topics.Add(answered);
            foreach (var partition in topic.Partitions)
            {
                answered.Partitions.Add(new()
                {
                    PartitionIndex = partition.PartitionIndex,
                    CommittedOffset = partition.CommittedOffset,
                    CommittedLeaderEpoch = partition.CommittedLeaderEpoch,
                    Metadata = partition.Metadata,
                    ErrorCode = partition.ErrorCode,
                });
            }
        }

        return response;
    }

    /// <param name="topics">Null: all that there are.</param>
    private async ValueTask<OffsetFetchResponse.OffsetFetchResponseGroup> FetchAsync(RequestContext context, long began, string groupId, GroupCaller? caller, List<Asked>? topics)
    {
        var response = new OffsetFetchResponse.OffsetFetchResponseGroup { GroupId = groupId };
        var (error, partitions) = await NameAsync(topics);
        var kept = error != ErrorCode.None
            ? new CommittedOffsets(error, [])
            // No partition would ask for all; one that does not exist has the group checked and nothing found.
            : await groups.FetchOffsetsAsync(context, began, groupId, topics is not null && partitions.IsEmpty ? [default] : partitions, caller);
        if (kept.Error != ErrorCode.None)
        {
            response.ErrorCode = (short)kept.Error;
            // The first versions have no place for what concerns the group as a whole.
            if (context.ApiVersion < FirstVersionWithGroupError)
                AddAsked(response, topics ?? [], [], kept.Error);
        }
        else if (topics is null)
        {
            await AddAllAsync(response, kept.Offsets);
        }
        else
        {
            AddAsked(response, topics, kept.Offsets, ErrorCode.None);
        }

        return response;
    }

    /// <summary>From version 9 on a member of the consumer protocol says who it is; who names neither id nor epoch is nobody in particular.</summary>
    private static GroupCaller? CallerOf(string? memberId, int memberEpoch) => memberId is null && memberEpoch < 0 ? null : new GroupCaller(memberId ?? "", null, memberEpoch);

    private async ValueTask<(ErrorCode Error, ImmutableArray<PartitionId> Partitions)> NameAsync(List<Asked>? topics)
    {
        if (topics is null)
            return (ErrorCode.None, []);
        var found = await lookup.FindAsync(topics.Select(topic => topic.Name));
        var partitions = ImmutableArray.CreateBuilder<PartitionId>();
        foreach (var (name, indexes) in topics)
        {
            foreach (var index in indexes)
            {
                var error = found.Partition(name, index, out var partition);
                if (error == ErrorCode.None)
                    partitions.Add(partition);
                else if (error != ErrorCode.UnknownTopicOrPartition)
                    return (ErrorCode.CoordinatorLoadInProgress, []);
            }
        }

        return (ErrorCode.None, partitions.ToImmutable());
    }

    private async ValueTask AddAllAsync(OffsetFetchResponse.OffsetFetchResponseGroup response, ImmutableArray<CommittedOffset> offsets)
    {
        // What is left out passes for never committed: of a topic that cannot be looked up it may not be.
        var found = await lookup.FindAsync(offsets.Select(offset => offset.Partition.TopicId).Distinct());
        if (offsets.Any(offset => found.Topic(offset.Partition.TopicId) is null) && found.UnknownId != ErrorCode.UnknownTopicId)
        {
            response.ErrorCode = (short)ErrorCode.CoordinatorLoadInProgress;
            return;
        }

        foreach (var topic in offsets.GroupBy(offset => offset.Partition.TopicId))
        {
            if (found.Topic(topic.Key) is not { } known)
                continue;
            var answered = new OffsetFetchResponse.OffsetFetchResponseTopics { Name = known.Name };
            response.Topics.Add(answered);
            answered.Partitions.AddRange(topic.Select(offset => Answer(offset.Partition.Index, offset, ErrorCode.None)));
        }
    }

    private void AddAsked(
        OffsetFetchResponse.OffsetFetchResponseGroup response, List<Asked> topics, ImmutableArray<CommittedOffset> offsets, ErrorCode error)
    {
        var kept = offsets.ToLookup(offset => offset.Partition);
        foreach (var (name, indexes) in topics)
        {
            var topicId = directory.Find(name)?.TopicId ?? Guid.Empty;
            var answered = new OffsetFetchResponse.OffsetFetchResponseTopics { Name = name };
            response.Topics.Add(answered);
            foreach (var index in indexes)
            {
                var found = kept[new PartitionId(topicId, index)].Cast<CommittedOffset?>().FirstOrDefault();
                answered.Partitions.Add(Answer(index, found, error));
            }
        }
    }

    /// <summary>A partition without a position, or one that nobody knows, is answered with -1 and no error.</summary>
    private static OffsetFetchResponse.OffsetFetchResponsePartitions Answer(int index, CommittedOffset? offset, ErrorCode error) => new()
    {
        PartitionIndex = index,
        CommittedOffset = offset?.Offset ?? -1,
        CommittedLeaderEpoch = offset?.LeaderEpoch ?? -1,
        Metadata = offset?.Metadata ?? "",
        ErrorCode = (short)error,
    };
}

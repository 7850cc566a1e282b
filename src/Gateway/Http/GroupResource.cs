using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Granary.Gateway.Http;

/// <summary>/groups and /groups/{group}: list, describe with lag, delete, forget positions.</summary>
internal static class GroupResource
{
    public static void MapGroups(this IEndpointRouteBuilder endpoints)
    {
        var groups = endpoints.MapGroup("/groups").WithTags("Groups");
        groups.MapGet("", ListAsync).WithSummary("All consumer groups").Produces<GroupListAnswer>()
            .TakesQuery("prefix: of the ids", "after: the last id of the page before").TakesNumber("limit: groups in a page", 1, options => options.MaxPageSize);
        groups.MapGet("/{group}", DescribeAsync).WithSummary("A group: members, who has what, positions and lag").Produces<GroupAnswer>();
        groups.MapDelete("/{group}", DeleteAsync).WithSummary("Delete a group without members, with all its positions").Produces(StatusCodes.Status204NoContent);
        groups.MapDelete("/{group}/offsets", ForgetAsync).WithSummary("Forget positions").Produces(StatusCodes.Status204NoContent)
            .TakesQuery("topic: whose positions").TakesNumber("partition: one; else all of the topic's", 0, _ => int.MaxValue);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, HttpParts parts)
    {
        var query = new QueryReader(request, "prefix", "after", "limit");
        var limit = (int)(query.Number("limit", 1, parts.Options.MaxPageSize) ?? parts.Options.MaxPageSize);
        var (prefix, after) = (query.Text("prefix") ?? "", query.Text("after"));
        var page = (await parts.Grains.GetGrain<IGroupListGrain>(IGroupListGrain.Key).ListAsync())
            .Where(group => group.GroupId.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(group.GroupId, after) > 0))
            .OrderBy(group => group.GroupId, StringComparer.Ordinal)
            .Take(limit + 1)
            .ToList();
        return Results.Json(new GroupListAnswer(
            [.. page.Take(limit).Select(group => new GroupSummary(group.GroupId, group.Type.ToString().ToLowerInvariant(), group.ProtocolType, group.State.ToString()))],
            page.Count > limit ? page[limit - 1].GroupId : null));
    }

    private static async Task<IResult> DescribeAsync(HttpRequest request, HttpParts parts, string group)
    {
        _ = new QueryReader(request);
        var described = await Find(parts, group).DescribeAsync(withLags: true);
        Check(described.Error, group);
        return Results.Json(new GroupAnswer(
            group,
            described.Consumer is null ? "classic" : "consumer",
            described.State.ToString(),
            described.ProtocolType,
            described.ProtocolName,
            described.Generation,
            parts.CoordinatorOf(group),
            described.Consumer is { } consumer
                ? [.. consumer.Members.Select(one => Show(one.Member.MemberId, one.Member.InstanceId, one.Member.ClientId, one.Member.ClientHost, one.Member.MemberEpoch, NamesOf(parts, one.Member.Assigned)))]
                : ClassicMembersOf(described, parts.Options.MaxAssignedPartitions),
            [
                .. described.Lags.Select(lag => new PositionAnswer(
                    parts.Topics.Find(lag.Committed.Partition.TopicId)?.Name,
                    lag.Committed.Partition.Index,
                    lag.Committed.Offset,
                    lag.Committed.Metadata,
                    Known(lag.LogStartOffset),
                    Known(lag.HighWatermark),
                    Known(lag.Lag),
                    (long?)lag.OldestAge?.TotalMilliseconds)),
            ]));
    }

    private static async Task<IResult> DeleteAsync(HttpRequest request, HttpParts parts, string group)
    {
        _ = new QueryReader(request);
        Check(await Find(parts, group).DeleteAsync(), group);
        return Results.NoContent();
    }

    private static async Task<IResult> ForgetAsync(HttpRequest request, HttpParts parts, string group)
    {
        var query = new QueryReader(request, "topic", "partition");
        var topic = await parts.FindTopicAsync(query.Text("topic") ?? throw Problem.BadRequest("topic", "'topic' is missing: whose positions to forget."));
        var partitions = query.Number("partition", 0, int.MaxValue) is { } one
            ? [TopicResource.PartitionOf(topic, (int)one)]
            : Enumerable.Range(0, topic.PartitionCount).Select(index => new PartitionId(topic.TopicId, index));
        foreach (var error in await Find(parts, group).DeleteOffsetsAsync([.. partitions]))
            Check(error, group);
        return Results.NoContent();
    }

    /// <param name="left">Partitions that may still be shown, of all members together.</param>
    private static List<MemberAnswer> ClassicMembersOf(GroupDescription group, int left)
    {
        var shown = new List<MemberAnswer>(group.Members.Length);
        foreach (var member in group.Members)
        {
            var assignment = MemberAssignment.Read(member.Assignment.Span, left);
            left -= assignment.Count;
            shown.Add(Show(member.MemberId, member.InstanceId, member.ClientId, member.ClientHost, group.Generation, assignment));
        }

        return shown;
    }

    private static MemberAnswer Show(string memberId, string? instanceId, string clientId, string clientHost, int epoch, IEnumerable<(string Topic, int Partition)> assignment) =>
        new(memberId, instanceId, clientId, clientHost, epoch, [.. assignment.Select(one => new TopicPartitionAnswer(one.Topic, one.Partition))]);

    /// <summary>Null: the partition could not be asked.</summary>
    private static long? Known(long figure) => figure < 0 ? null : figure;

    private static IEnumerable<(string Topic, int Partition)> NamesOf(HttpParts parts, IEnumerable<PartitionId> partitions) =>
        partitions.Select(partition => (parts.Topics.Find(partition.TopicId)?.Name ?? partition.TopicId.ToString(), partition.Index));

    /// <summary>The group's id, one that can be.</summary>
    public static string Checked(string group) => GroupIds.Refuse(group) is not { } wrong
        ? group
        : throw new Problem(StatusCodes.Status400BadRequest, wrong)
        {
            Field = "group",
            Limit = GroupIds.MaxLength,
            Error = ErrorCode.InvalidGroupId,
        };

    private static IGroupGrain Find(HttpParts parts, string group) => parts.Grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(Checked(group)));

    private static void Check(ErrorCode error, string group)
    {
        if (error != ErrorCode.None)
            throw Problem.Of(error, error == ErrorCode.GroupIdNotFound ? $"There is no group '{group}'." : $"Group '{group}': {ProblemWriter.NameOf(error)}.");
    }
}

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
        groups.MapGet("", ListAsync).WithSummary("All consumer groups");
        groups.MapGet("/{group}", DescribeAsync).WithSummary("A group: members, who has what, positions and lag");
        groups.MapDelete("/{group}", DeleteAsync).WithSummary("Delete a group without members, with all its positions");
        groups.MapDelete("/{group}/offsets", ForgetAsync).WithSummary("Forget positions: topic=, partition= (all of the topic's)");
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
        return Results.Json(new
        {
            groups = page.Take(limit).Select(group => new { group.GroupId, type = "classic", group.ProtocolType, state = group.State.ToString() }),
            next = page.Count > limit ? page[limit - 1].GroupId : null,
        });
    }

    private static async Task<IResult> DescribeAsync(HttpRequest request, HttpParts parts, string group)
    {
        _ = new QueryReader(request);
        var described = await Find(parts, group).DescribeAsync(withLags: true);
        Check(described.Error, group);
        return Results.Json(new
        {
            groupId = group,
            type = "classic",
            state = described.State.ToString(),
            described.ProtocolType,
            protocol = described.ProtocolName,
            described.Generation,
            coordinator = parts.CoordinatorOf(group),
            members = described.Members.Select(member => new
            {
                member.MemberId,
                member.InstanceId,
                member.ClientId,
                member.ClientHost,
                epoch = described.Generation,
                assignment = MemberAssignment.Read(member.Assignment.Span).Select(one => new { topic = one.Topic, partition = one.Partition }),
            }),
            offsets = described.Lags.Select(lag => new
            {
                topic = parts.Topics.Find(lag.Committed.Partition.TopicId)?.Name,
                partition = lag.Committed.Partition.Index,
                committedOffset = lag.Committed.Offset,
                lag.Committed.Metadata,
                lag.EndOffset,
                lag.Lag,
            }),
        });
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

    private static IGroupGrain Find(HttpParts parts, string group) => group.Length <= IGroupGrain.MaxIdLength
        ? parts.Grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(group))
        : throw new Problem(StatusCodes.Status400BadRequest, $"The group's id has {group.Length} characters, {IGroupGrain.MaxIdLength} is the most.")
        {
            Field = "group",
            Limit = IGroupGrain.MaxIdLength,
            Error = ErrorCode.InvalidGroupId,
        };

    private static void Check(ErrorCode error, string group)
    {
        if (error != ErrorCode.None)
            throw Problem.Of(error, error == ErrorCode.GroupIdNotFound ? $"There is no group '{group}'." : $"Group '{group}': {ProblemWriter.NameOf(error)}.");
    }
}

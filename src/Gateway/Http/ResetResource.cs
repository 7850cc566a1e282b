using System.Text.Json;
using Granary.Abstractions.Groups;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Granary.Gateway.Http;

/// <summary>/groups/{group}/resets: plan a reset of a group's positions, execute the plan, read what was reset.</summary>
internal static class ResetResource
{
    public static void MapResets(this IEndpointRouteBuilder endpoints)
    {
        var resets = endpoints.MapGroup("/groups/{group}/resets").WithTags("Groups");
        resets.MapPost("", ResetAsync).WithSummary("Plan a reset of positions, or execute a plan by its planId").Accepts<ResetBody>("application/json").Produces<ResetAnswer>();
        resets.MapGet("", ListAsync).WithSummary("The group's resets, newest first").Produces<ResetHistoryAnswer>().TakesNumber("limit: resets", 1, options => options.MaxPageSize);
    }

    private static async Task<IResult> ResetAsync(HttpRequest request, HttpParts parts, string group)
    {
        _ = new QueryReader(request);
        var resets = Find(parts, group);
        var body = await JsonBody.ReadAsync<ResetBody>(request, parts.Options);
        return body.PlanId is { } plan ? await ExecuteAsync(resets, parts, plan, body) : await PlanAsync(resets, group, body);
    }

    private static async Task<IResult> PlanAsync(IGroupResetGrain resets, string group, ResetBody body)
    {
        if (body.Plan is false)
            throw Problem.BadRequest("planId", "'planId' is missing: only a plan can be executed. Without 'plan', or with 'plan': true, one is made.");
        if (Given(body) is { } early)
            throw Problem.BadRequest(early, $"'{early}' belongs to the execution of a plan, with its 'planId'.");
        var plan = await resets.PlanAsync(ResetRules.Of(body.To, body.Topics, body.Partitions));
        if (plan.Error != ErrorCode.None)
            throw Problem.Of(plan.Error, plan.Error == ErrorCode.GroupIdNotFound ? $"There is no group '{group}'." : $"No plan was made: {plan.Message}.");
        return Results.Json<ResetAnswer>(new ResetPlanAnswer(
            plan.PlanId,
            plan.GroupId,
            Show(plan.PlannedAt),
            plan.ActiveMembers,
            plan.Partitions.Sum(one => RecordsOf(one) ?? 0),
            plan.Partitions.Any(one => one.Error == ErrorCode.None && BytesOf(one) is null) ? null : plan.Partitions.Sum(one => BytesOf(one) ?? 0),
            [
                .. plan.Partitions.Select(one => new PlannedPartitionAnswer(
                    one.Topic,
                    one.Partition.Index,
                    Position(one.From),
                    Position(one.To),
                    Position(one.Asked),
                    one.Clamp != ResetClamp.None,
                    one.Clamp switch { ResetClamp.ToLogStart => "log-start", ResetClamp.ToHighWatermark => "high-watermark", _ => "none" },
                    RecordsOf(one),
                    BytesOf(one),
                    one.Error == ErrorCode.None ? null : ProblemWriter.NameOf(one.Error),
                    one.Message)),
            ]));
    }

    private static async Task<IResult> ExecuteAsync(IGroupResetGrain resets, HttpParts parts, Guid plan, ResetBody body)
    {
        if (body.Plan is true)
            throw Problem.BadRequest("plan", "'plan' is true and 'planId' is given: a plan is either made or executed.");
        if (body.To is not null || body.Topics is not null || body.Partitions is not null)
            throw Problem.BadRequest("planId", "'planId' is given beside 'to', 'topics' or 'partitions': a plan is executed as it was made.");
        var result = await resets.ExecuteAsync(new ResetExecution(
            plan, body.By ?? "", body.Reason ?? "", body.EvenIfActive ?? false, body.EvenIfMoved ?? false));
        return result.Done is { } done ? Results.Json<ResetAnswer>(Tell(done, parts)) : throw Refusal(result);
    }

    private static async Task<IResult> ListAsync(HttpRequest request, HttpParts parts, string group)
    {
        var query = new QueryReader(request, "limit");
        var limit = (int)(query.Number("limit", 1, parts.Options.MaxPageSize) ?? parts.Options.MaxPageSize);
        var history = await Find(parts, group).HistoryAsync(limit);
        if (history.Error != ErrorCode.None)
            throw Problem.Of(history.Error, history.Message);
        return Results.Json(new ResetHistoryAnswer([.. history.Resets.Select(reset => Tell(reset, parts))]));
    }

    private static ResetDoneAnswer Tell(RecordedReset reset, HttpParts parts) => new(
        reset.ResetId,
        Show(reset.At),
        reset.By,
        reset.Why,
        reset.WhileActive,
        [
            .. reset.Changes.Select(change => new ResetChangeAnswer(
                parts.Topics.Find(change.Partition.TopicId)?.Name, change.Partition.TopicId, change.Partition.Index, Position(change.From), Position(change.To))),
        ]);

    private static Problem Refusal(ResetResult result) => result.Refusal switch
    {
        ResetRefusal.UnknownPlan => new Problem(StatusCodes.Status404NotFound, $"{result.Message}.") { Field = "planId", Error = result.Error },
        ResetRefusal.StalePlan => new Problem(StatusCodes.Status409Conflict, $"The plan is stale: {result.Message}. Make a new one, or insist with 'evenIfMoved'.")
        {
            Field = "planId",
            Error = result.Error,
        },
        ResetRefusal.ActiveMembers => new Problem(
            StatusCodes.Status409Conflict,
            $"The plan is not executed: {result.Message}. Stop its consumers, or insist with 'evenIfActive': members go on from their own positions until partitions are assigned anew.")
        {
            Field = "evenIfActive",
            Error = result.Error,
        },
        _ => Problem.Of(result.Error, $"The plan is not executed: {result.Message}."),
    };

    private static string? Given(ResetBody body) =>
        body.EvenIfActive is not null ? "evenIfActive" : body.EvenIfMoved is not null ? "evenIfMoved" : body.Reason is not null ? "reason" : body.By is not null ? "by" : null;

    /// <summary>Null: no position.</summary>
    private static long? Position(long offset) => offset < 0 ? null : offset;

    private static long? RecordsOf(PlannedReset one) => one.Error == ErrorCode.None ? Math.Max(one.Moved.RereadRecords, one.Moved.SkippedRecords) : null;

    /// <summary>Null: they could not be measured.</summary>
    private static long? BytesOf(PlannedReset one) => one.Error != ErrorCode.None || one.Moved.RereadBytes < 0 || one.Moved.SkippedBytes < 0
        ? null
        : Math.Max(one.Moved.RereadBytes, one.Moved.SkippedBytes);

    private static string? Show(DateTimeOffset time) => Times.Show(time.ToUnixTimeMilliseconds());

    private static IGroupResetGrain Find(HttpParts parts, string group) =>
        parts.Grains.GetGrain<IGroupResetGrain>(IGroupGrain.KeyOf(GroupResource.Checked(group)));

    /// <param name="To">Where to; with a new plan alone.</param>
    /// <param name="Topics">Which topics whole; null with null partitions: wherever the group has positions.</param>
    /// <param name="Plan">True or null without a planId: make a plan. False or null with one: execute it.</param>
    internal sealed record ResetBody(
        ResetTo? To,
        IReadOnlyList<string?>? Topics,
        IReadOnlyList<ResetPlace?>? Partitions,
        bool? Plan,
        Guid? PlanId,
        bool? EvenIfActive,
        bool? EvenIfMoved,
        string? Reason,
        string? By);
}

/// <summary>Exactly one of them.</summary>
internal sealed record ResetTo(bool? Earliest, bool? Latest, long? Offset, JsonElement? Timestamp, long? By, long? DurationMs, Guid? BeforeReset);

/// <param name="To">Another target for this partition; null: the request's.</param>
internal sealed record ResetPlace(string? Topic, int? Partition, ResetTo? To);

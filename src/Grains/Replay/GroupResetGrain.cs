using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Replay;

/// <summary>
/// Plans and executes resets of one group. Key: <see cref="IGroupGrain.KeyOf"/>. Persisted: plans, before they are told; what was executed is the
/// group's, which writes positions and history in one transaction. Concurrency: one call at a time. A restart loses nothing that was answered.
/// </summary>
[CoordinatedByMap]
internal sealed class GroupResetGrain(
    [PersistentState("resets", "granary")] IPersistentState<ResetPlansState> state,
    IGroupStore store,
    TopicDirectory topics,
    IOptions<ReplayOptions> options,
    TimeProvider time,
    ReplayDiagnostics diagnostics) : Grain, IGroupResetGrain
{
    private string GroupId => IGroupGrain.IdOf(this.GetPrimaryKeyString());

    private IGroupGrain Group => GrainFactory.GetGrain<IGroupGrain>(this.GetPrimaryKeyString());

    public async Task<ResetPlan> PlanAsync(ImmutableArray<ResetRule> rules)
    {
        var described = await Group.DescribeAsync(withLags: false);
        if (described.Error != ErrorCode.None)
            return ResetPlan.Refuse(GroupId, described.Error, $"group {GroupId} cannot be read: {described.Error}");
        var committed = await Group.FetchOffsetsAsync([]);
        if (committed.Error != ErrorCode.None)
            return ResetPlan.Refuse(GroupId, committed.Error, $"positions of group {GroupId} cannot be read: {committed.Error}");
        await topics.RefreshAsync();
        var positions = committed.Offsets.ToDictionary(offset => offset.Partition, offset => offset.IsPosition ? offset.Offset : -1);
        var known = topics.ByName.Values.Select(topic => new ResetTopic(topic.Name, topic.TopicId, topic.PartitionCount)).ToArray();
        var scope = ResetScope.Of(rules, known, positions.Keys, options.Value);
        if (scope.Error != ErrorCode.None)
            return ResetPlan.Refuse(GroupId, scope.Error, scope.Message!);
        try
        {
            var now = time.GetUtcNow();
            var planned = await SurveyAsync(scope.Parts, positions, now);
            var plan = new ResetPlan(ErrorCode.None, null, Guid.NewGuid(), GroupId, now, described.Members.Length, ImmutableArray.Create(planned));
            await KeepAsync([plan, .. Living(now).Take(options.Value.MaxPlans - 1)]);
            return plan;
        }
        catch (Exception failure)
        {
            diagnostics.NotKept(failure, GroupId);
            DeactivateOnIdle();
            return ResetPlan.Refuse(GroupId, ErrorCode.CoordinatorNotAvailable, $"the plan cannot be made or kept now: {failure.Message}");
        }
    }

    public async Task<ResetResult> ExecuteAsync(ResetExecution execution)
    {
        if ((CheckNote(nameof(execution.By), execution.By) ?? CheckNote(nameof(execution.Why), execution.Why)) is { } wrong)
            return ResetResult.Refuse(ResetRefusal.Other, ErrorCode.InvalidRequest, wrong);
        try
        {
            if ((await store.ListResetsAsync(GroupId, int.MaxValue, CancellationToken.None)).FirstOrDefault(reset => reset.ResetId == execution.PlanId) is { } done)
                return new ResetResult(ResetRefusal.None, ErrorCode.None, null, done);
        }
        catch (StoreUnavailableException failure)
        {
            return ResetResult.Refuse(ResetRefusal.Other, ErrorCode.CoordinatorNotAvailable, failure.Message);
        }

        if (Living(time.GetUtcNow()).FirstOrDefault(plan => plan.PlanId == execution.PlanId) is not { } found)
            return ResetResult.Refuse(ResetRefusal.UnknownPlan, ErrorCode.InvalidRequest, $"plan {execution.PlanId} is not there, or no longer: make a new one");
        ImmutableArray<ResetChange> changes =
        [
            .. found.Partitions.Where(part => part.Error == ErrorCode.None && (part.From >= 0 || part.To >= 0))
                .Select(part => new ResetChange(part.Partition, part.From, part.To, part.LeaderEpoch)),
        ];
        if (changes.IsEmpty)
            return ResetResult.Refuse(ResetRefusal.Other, ErrorCode.InvalidRequest, "the plan has no partition that can be reset");
        return await Group.ResetAsync(new OffsetReset(
            execution.PlanId, execution.By, execution.Why, execution.EvenIfActive, execution.EvenIfMoved, changes));
    }

    public Task<ImmutableArray<ResetPlan>> PlansAsync() => Task.FromResult<ImmutableArray<ResetPlan>>([.. Living(time.GetUtcNow())]);

    public Task ForgetAsync()
    {
        DeactivateOnIdle();
        return state.RecordExists ? state.ClearStateAsync() : Task.CompletedTask;
    }

    public async Task<ResetHistory> HistoryAsync(int limit)
    {
        if (limit < 1)
            return new ResetHistory(ErrorCode.InvalidRequest, $"limit is {limit}, 1 or more is wanted", []);
        try
        {
            return new ResetHistory(ErrorCode.None, null, await store.ListResetsAsync(GroupId, limit, CancellationToken.None));
        }
        catch (StoreUnavailableException failure)
        {
            return new ResetHistory(ErrorCode.CoordinatorNotAvailable, failure.Message, []);
        }
    }

    private async Task<PlannedReset[]> SurveyAsync(IReadOnlyList<ResetPart> parts, Dictionary<PartitionId, long> positions, DateTimeOffset now)
    {
        var history = parts.Any(part => part.Spec.Target == ResetTarget.BeforeReset)
            ? await store.ListResetsAsync(GroupId, int.MaxValue, CancellationToken.None)
            : [];
        var before = history.SelectMany(reset => reset.Changes.Select(change => (Key: (reset.ResetId, change.Partition), change)))
            .ToDictionary(entry => entry.Key, entry => entry.change);
        var survey = new PartitionSurvey(GrainFactory, now.ToUnixTimeMilliseconds());
        var planned = new PlannedReset[parts.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, parts.Count),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.ConcurrentCalls, TaskScheduler = TaskScheduler.Current },
            async (index, _) =>
            {
                var part = parts[index];
                ResetChange? change = before.TryGetValue((part.Spec.ResetId, part.Partition), out var known) ? known : null;
                planned[index] = await survey.PlanAsync(part, positions.GetValueOrDefault(part.Partition, -1), change);
            });
        return planned;
    }

    private IEnumerable<ResetPlan> Living(DateTimeOffset now) => state.State.Plans.Where(plan => now - plan.PlannedAt < options.Value.PlanLifetime);

    private Task KeepAsync(IEnumerable<ResetPlan> plans)
    {
        state.State = new ResetPlansState { Plans = [.. plans] };
        return state.WriteStateAsync();
    }

    private string? CheckNote(string field, string note)
    {
        if (note.Length > options.Value.MaxNoteLength)
            return $"{field} has {note.Length} characters, at most {options.Value.MaxNoteLength} are taken";
        return note.Contains('\0') ? $"{field} holds a zero character" : null;
    }
}

using System.Collections.Immutable;

namespace Granary.Abstractions.Groups;

/// <summary>
/// Resets of a group's positions: first a plan that says what it would do, then its execution as it was planned. Key: <see cref="IGroupGrain.KeyOf"/>.
/// </summary>
[Alias("granary.IGroupResetGrain")]
public interface IGroupResetGrain : IGrainWithStringKey
{
    /// <summary>
    /// Makes a plan and changes nothing. Refused: GROUP_ID_NOT_FOUND, UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST (which rule, and why), and
    /// COORDINATOR_NOT_AVAILABLE where the plan cannot be kept. What is wrong with single partitions is said there.
    /// </summary>
    [ResponseTimeout("00:05:00"), Alias("Plan")]
    Task<ResetPlan> PlanAsync(ImmutableArray<ResetRule> rules);

    /// <summary>Puts the positions where the plan says, all or none, with an entry in the history; answers when both are durable.</summary>
    [Alias("Execute")]
    Task<ResetResult> ExecuteAsync(ResetExecution execution);

    /// <summary>Plans that are kept, newest first; those that were executed are among them, and are not executed again.</summary>
    [Alias("Plans")]
    Task<ImmutableArray<ResetPlan>> PlansAsync();

    /// <summary>The group was deleted: its plans are forgotten.</summary>
    [Alias("Forget")]
    Task ForgetAsync();

    /// <summary>The resets that were executed, newest first; those beyond the group's bound are forgotten.</summary>
    /// <param name="limit">At most so many; 1 or more.</param>
    [Alias("History")]
    Task<ResetHistory> HistoryAsync(int limit);
}

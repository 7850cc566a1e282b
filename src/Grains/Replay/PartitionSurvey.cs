using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Replay;

/// <summary>Asks one partition what a plan has to know of it. What cannot be asked is said in the answer; the other partitions are worth having.</summary>
internal sealed class PartitionSurvey(IGrainFactory grains, long nowMs)
{
    public async Task<PlannedReset> PlanAsync(ResetPart part, long from, ResetChange? before)
    {
        try
        {
            var grain = grains.GetGrain<IPartitionGrain>(part.Partition.ToKey());
            var start = await grain.FindOffsetAsync(new OffsetQuery(OffsetQuery.Earliest));
            var end = await grain.FindOffsetAsync(new OffsetQuery(OffsetQuery.Latest));
            var found = ResetPlanner.TimeOf(part.Spec, nowMs) is { } time ? await grain.FindOffsetAsync(new OffsetQuery(time)) : null;
            ErrorCode[] errors = [start.Error, end.Error, found?.Error ?? ErrorCode.None];
            if (errors.FirstOrDefault(error => error != ErrorCode.None) is var error and not ErrorCode.None)
                return Unknown(part, from, error, "the partition could not be asked");
            var log = new LogFacts(start.Offset, end.Offset, found?.Offset);
            var plan = ResetPlanner.Plan(part, from, log, before);
            if (plan.Error != ErrorCode.None || ResetPlanner.Between(plan.From, plan.To, log) is not var (first, last))
                return plan;
            var size = await grain.MeasureAsync(new OffsetRange(first, last));
            return ResetPlanner.WithBytes(plan, size.Error == ErrorCode.None ? size.SizeBytes : -1);
        }
        catch (Exception failure)
        {
            return Unknown(part, from, ErrorCode.LeaderNotAvailable, failure.Message);
        }
    }

    private static PlannedReset Unknown(ResetPart part, long from, ErrorCode error, string message) =>
        new(part.Partition, part.Topic, from, from, -1, ResetClamp.None, -1, -1, -1, default, error, message);
}

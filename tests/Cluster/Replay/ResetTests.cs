using Granary.Abstractions.Clients;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Cluster.Clients;
using Granary.Cluster.Silo;
using Granary.Cluster.Storage;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Replay;

/// <summary>Resets on two silos and a real PostgreSQL, from the plan to the history.</summary>
public sealed class ResetTests(PrivatePostgres postgres)
{
    private const string Group = "readers";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plan_SaysEachSpecWithExactSizes_AndIsExecutedAfterASiloDied()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        var (admin, topic) = (new LogAdmin(cluster.Client), await FillAsync(cluster));
        // Retention took the first 10; the second partition has no position.
        Assert.Equal(ErrorCode.None, (await Partition(cluster, topic, 0).DeleteRecordsAsync(10)).Error);
        await CommitAsync(cluster, topic, 60);

        var all = Assert.Single((await admin.PlanResetAsync(Group, new ResetRule(null, null, ResetSpec.ToOffset(3)))).Partitions);
        Assert.Equal((60L, 10L, 3L, ResetClamp.ToLogStart), (all.From, all.To, all.Asked, all.Clamp));
        Assert.Equal((50L, await BytesAsync(cluster, topic, 10, 60)), (all.Moved.RereadRecords, all.Moved.RereadBytes));
        var late = (await admin.PlanResetAsync(Group, new ResetRule("events", 0, ResetSpec.ToTimestamp(DateTimeOffset.UtcNow.AddDays(1))))).Partitions[0];
        Assert.Equal((100L, ResetClamp.ToHighWatermark, 40L, await BytesAsync(cluster, topic, 60, 100)), (late.To, late.Clamp, late.Moved.SkippedRecords, late.Moved.SkippedBytes));
        Assert.Equal(10, (await admin.PlanResetAsync(Group, new ResetRule("events", 0, ResetSpec.Back(TimeSpan.FromDays(1))))).Partitions[0].To);
        var plan = await admin.PlanResetAsync(Group, new ResetRule("events", null, ResetSpec.Latest), new ResetRule("events", 0, ResetSpec.ShiftBy(-15)));
        Assert.Equal([(60L, 45L), (-1L, 100L)], plan.Partitions.Select(part => (part.From, part.To)));
        Assert.Equal(60, (await PositionsAsync(cluster))[0]);
        await cluster.KillOneAsync();

        var result = await ExecuteAsync(cluster, new ResetExecution(plan.PlanId, "operator", "bad deployment"));

        Assert.Equal(ResetRefusal.None, result.Refusal);
        Assert.Equal([45L, 100L], await PositionsAsync(cluster));
        var recorded = Assert.Single(await admin.ListResetsAsync(Group));
        Assert.Equal((plan.PlanId, "operator", "bad deployment", false), (recorded.ResetId, recorded.By, recorded.Why, recorded.WhileActive));
        Assert.Equal([(60L, 45L), (-1L, 100L)], recorded.Changes.Select(change => (change.From, change.To)));

        // A caller whose answer was lost asks again: nothing happens, although positions went on.
        await CommitAsync(cluster, topic, 47);
        Assert.Equal(recorded.At, (await ExecuteAsync(cluster, new ResetExecution(plan.PlanId, "operator", "again"))).Done!.At);
        Assert.Equal(47, (await PositionsAsync(cluster))[0]);

        var undo = await admin.PlanResetAsync(Group, new ResetRule("events", null, ResetSpec.Before(plan.PlanId)));
        Assert.Equal(ResetRefusal.None, (await ExecuteAsync(cluster, new ResetExecution(undo.PlanId, "operator", "undo"))).Refusal);
        Assert.Equal([60L], await PositionsAsync(cluster));
        Assert.Equal(["undo", "bad deployment"], (await admin.ListResetsAsync(Group)).Select(reset => reset.Why));

        var resets = cluster.Client.GetGrain<IGroupResetGrain>(IGroupGrain.KeyOf(Group));
        Assert.NotEmpty(await resets.PlansAsync());
        Assert.Equal(ErrorCode.None, await GroupOf(cluster).DeleteAsync());
        await Eventually.HoldsAsync("plans for a deleted group are forgotten", async () => (await resets.PlansAsync()).IsEmpty);
    }

    [Fact]
    public async Task StaleOrUnknownPlans_AndActiveGroups_AreRefused_UnlessToldOtherwise()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        var (admin, topic) = (new LogAdmin(cluster.Client), await FillAsync(cluster));
        var missing = await Assert.ThrowsAsync<LogException>(() => admin.PlanResetAsync("nobody", new ResetRule(null, null, ResetSpec.Latest)));
        Assert.Equal(ErrorCode.GroupIdNotFound, missing.Error);
        await CommitAsync(cluster, topic, 60);
        var plan = await admin.PlanResetAsync(Group, new ResetRule("events", 0, ResetSpec.Earliest));
        Assert.Equal(ResetRefusal.UnknownPlan, (await ExecuteAsync(cluster, new ResetExecution(Guid.NewGuid(), "", ""))).Refusal);
        await CommitAsync(cluster, topic, 61);

        Assert.Equal(ResetRefusal.StalePlan, (await ExecuteAsync(cluster, new ResetExecution(plan.PlanId, "", ""))).Refusal);
        Assert.Equal([61L], await PositionsAsync(cluster));
        var joined = await GroupOf(cluster).JoinAsync(new JoinRequest(
            "", null, "c", "h", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30), "consumer", [new GroupProtocol("range", default)], false, false));
        Assert.Equal(ErrorCode.None, joined.Error);
        var active = await ExecuteAsync(cluster, new ResetExecution(plan.PlanId, "", "", EvenIfMoved: true));
        Assert.Equal((ResetRefusal.ActiveMembers, ErrorCode.NonEmptyGroup), (active.Refusal, active.Error));
        Assert.Empty(await admin.ListResetsAsync(Group));

        var forced = await ExecuteAsync(cluster, new ResetExecution(plan.PlanId, "", "", EvenIfActive: true, EvenIfMoved: true));

        Assert.Equal((ResetRefusal.None, true), (forced.Refusal, forced.Done!.WhileActive));
        Assert.Equal([0L], await PositionsAsync(cluster));
        Assert.Equal(61, Assert.Single(Assert.Single(await admin.ListResetsAsync(Group)).Changes).From);
    }

    private static async Task<Guid> FillAsync(ClusterOfTwo cluster)
    {
        var topic = await new LogAdmin(cluster.Client).CreateTopicAsync("events", partitionCount: 2);
        await using var producer = new LogProducer(cluster.Client, new LogProducerOptions { BatchSizeBytes = 300 });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => producer.SendAsync("events", null, new byte[i], partition: i % 2)));
        return topic.TopicId;
    }

    private static IGroupGrain GroupOf(ClusterOfTwo cluster) => cluster.Client.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(Group));

    private static IPartitionGrain Partition(ClusterOfTwo cluster, Guid topic, int index) =>
        cluster.Client.GetGrain<IPartitionGrain>(new PartitionId(topic, index).ToKey());

    private static async Task CommitAsync(ClusterOfTwo cluster, Guid topic, long offset) => Assert.Equal(
        [ErrorCode.None],
        await GroupOf(cluster).CommitAsync(new CommitRequest(new GroupCaller("", null, -1), [new OffsetToCommit(new PartitionId(topic, 0), offset, -1, "")])));

    private static async Task<IReadOnlyList<long>> PositionsAsync(ClusterOfTwo cluster) =>
        [.. (await GroupOf(cluster).FetchOffsetsAsync([])).Offsets.OrderBy(offset => offset.Partition.Index).Select(offset => offset.Offset)];

    private static Task<ResetResult> ExecuteAsync(ClusterOfTwo cluster, ResetExecution execution) => new LogAdmin(cluster.Client).ExecuteResetAsync(Group, execution);

    /// <summary>What a reader gets that begins at the one offset and stops before the other.</summary>
    private static async Task<long> BytesAsync(ClusterOfTwo cluster, Guid topic, long from, long end)
    {
        long bytes = 0;
        while (from < end)
        {
            var read = (await Partition(cluster, topic, 0).ReadAsync(new ReadRequest(from, 1))).Records.ToContiguous();
            Assert.True(RecordBatchHeader.TryRead(read.Span, out var header));
            bytes += read.Length;
            from = header.EndOffset;
        }

        return bytes;
    }
}

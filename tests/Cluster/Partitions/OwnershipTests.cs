using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Cluster.Storage;
using Granary.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Partitions;

public sealed class OwnershipTests(PartitionCluster cluster)
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Append_WhoseAnswerIsLost_IsAnsweredByWhatIsThere(int lostOpenings)
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        cluster.Faults.LostOpenings[partition.Id] = lostOpenings;
        cluster.Faults.NextAppend[partition.Id] = AppendFault.AnswerLost;
        var appended = await partition.AppendAsync(TestPartition.Producer(5, 0), "b", "c");
        Assert.Equal((ErrorCode.None, 1L), (appended.Error, appended.BaseOffset));
        Assert.Equal(1, (await partition.AppendUntilTakenAsync(TestPartition.Producer(5, 0), "b", "c")).BaseOffset);
        Assert.Equal(3, (await partition.AppendUntilTakenAsync(TestPartition.Producer(5, 2), "d")).BaseOffset);
        Assert.Equal(["a", "b", "c", "d"], (await partition.ReadAllAsync()).Select(record => record.Value));
        Assert.Equal(1 + lostOpenings, (await partition.Grain.DescribeAsync()).LeaderEpoch);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Append_ThatNeverArrived_IsAnsweredByWhatIsNotThere(int lostOpenings)
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        cluster.Faults.LostOpenings[partition.Id] = lostOpenings;
        cluster.Faults.NextAppend[partition.Id] = AppendFault.RequestLost;
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync(TestPartition.Producer(5, 0), "b")).Error);
        Assert.Equal(1, (await partition.AppendUntilTakenAsync(TestPartition.Producer(5, 0), "b")).BaseOffset);
        Assert.Equal(["a", "b"], (await partition.ReadAllAsync()).Select(record => record.Value));
    }

    [Fact]
    public async Task Append_ThatIsNotWritten_LeavesNoTraceAndTakesTheLaterOnesAlong()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        cluster.Faults.NextAppend[partition.Id] = AppendFault.NotWritten;
        var gate = cluster.Faults.Gates[partition.Id] = new Gate();
        var failed = partition.AppendAsync("b");
        await gate.ArrivalAsync();
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync("c")).Error);
        cluster.Faults.Gates.TryRemove(partition.Id, out _);
        gate.Open();
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await failed).Error);
        Assert.Equal(["a"], (await partition.ReadAllAsync()).Select(record => record.Value));
        Assert.Equal(1, (await partition.AppendUntilTakenAsync(ProducerStamp.None, "d")).BaseOffset);
    }

    [Fact]
    public async Task Append_WhereTheWriterIsFull_LeavesNoTraceAndKeepsTheOwnership()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        cluster.Faults.NextAppend[partition.Id] = AppendFault.Overloaded;
        Assert.Equal(ErrorCode.NotEnoughReplicas, (await partition.AppendAsync(TestPartition.Producer(5, 0), "b")).Error);
        Assert.Equal(1, (await partition.AppendAsync(TestPartition.Producer(5, 0), "b")).BaseOffset);
        Assert.Equal(0, (await partition.Grain.DescribeAsync()).LeaderEpoch);
    }

    /// <summary>Pipelined behind the refused one; of a producer that is not known any sequence is taken, and the first would be out of order for good.</summary>
    [Theory]
    [InlineData(nameof(AppendFault.Overloaded), ErrorCode.NotEnoughReplicas)]
    [InlineData(nameof(AppendFault.NotWritten), ErrorCode.NotLeaderOrFollower)]
    public async Task Append_BehindTheRefusedFirstOfANewProducer_WaitsForIt(string fault, ErrorCode refusal)
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        cluster.Faults.NextAppend[partition.Id] = Enum.Parse<AppendFault>(fault);
        Assert.Equal(refusal, (await partition.AppendAsync(TestPartition.Producer(5, 0), "b")).Error);
        Assert.Equal(ErrorCode.NotEnoughReplicas, (await partition.AppendUntilTakenAsync(TestPartition.Producer(5, 1), "c")).Error);
        Assert.Equal(1, (await partition.AppendAsync(TestPartition.Producer(6, 3), "of another")).BaseOffset);
        Assert.Equal(2, (await partition.AppendAsync(TestPartition.Producer(5, 0), "b")).BaseOffset);
        Assert.Equal(3, (await partition.AppendAsync(TestPartition.Producer(5, 1), "c")).BaseOffset);
    }

    [Fact]
    public async Task Append_BehindTheFirstOfANewProducer_ThatMetAnOpening_WaitsForIt()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        var held = cluster.Faults.HeldOpenings[partition.Id] = new HeldOpening();
        cluster.Faults.NextAppend[partition.Id] = AppendFault.NotWritten;
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync("b")).Error);
        await held.Arrival.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync(TestPartition.Producer(5, 0), "c")).Error);
        await held.ReleaseAsync();
        Assert.Equal(ErrorCode.NotEnoughReplicas, (await partition.AppendUntilTakenAsync(TestPartition.Producer(5, 1), "d")).Error);
        Assert.Equal(1, (await partition.AppendAsync(TestPartition.Producer(5, 0), "c")).BaseOffset);
        Assert.Equal(2, (await partition.AppendAsync(TestPartition.Producer(5, 1), "d")).BaseOffset);
    }

    [Fact]
    public async Task Append_AfterASecondOwnerOpened_IsFenced()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        await using var other = new PostgresPartitionStore(cluster.Source, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await other.StartAsync(TestContext.Current.CancellationToken);
        var opened = await other.OpenAsync(partition.Id, null, TestContext.Current.CancellationToken);
        var batch = TestPartition.Batch(ProducerStamp.None, 1, "by the other");
        RecordBatchHeader.StampBaseOffset(batch, 1);
        Assert.Equal(AppendOutcome.Committed, await other.AppendAsync(opened.Owned, new StagedBatch(1, 2, 1, batch, TestStore.Limits)));
        var wait = partition.Grain.WaitAsync(new WaitRequest(Guid.NewGuid(), 1, TimeSpan.FromSeconds(20)));
        await partition.UntilReadersWaitAsync(1);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync("b")).Error);
        await wait.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(2, (await partition.AppendUntilTakenAsync(ProducerStamp.None, "b")).BaseOffset);
        Assert.Equal(["a", "by the other", "b"], (await partition.ReadAllAsync()).Select(record => record.Value));
        Assert.Equal(AppendOutcome.Fenced, await other.AppendAsync(opened.Owned, new StagedBatch(2, 3, 1, batch, TestStore.Limits)));
        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Append_OutOfOrder_WhereASecondOwnerKnowsBetter_IsToldToComeAgain()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync(TestPartition.Producer(9, 0), "a");
        await using var other = new PostgresPartitionStore(cluster.Source, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await other.StartAsync(TestContext.Current.CancellationToken);
        var opened = await other.OpenAsync(partition.Id, null, TestContext.Current.CancellationToken);
        var batch = TestPartition.Batch(TestPartition.Producer(9, 1), 1, "by the other");
        RecordBatchHeader.StampBaseOffset(batch, 1);
        Assert.Equal(AppendOutcome.Committed, await other.AppendAsync(opened.Owned, new StagedBatch(1, 2, 1, batch, TestStore.Limits)));

        // The first owner has not noticed, and misses sequence 1.
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync(TestPartition.Producer(9, 2), "b")).Error);
        Assert.Equal(2, (await partition.AppendUntilTakenAsync(TestPartition.Producer(9, 2), "b")).BaseOffset);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await partition.AppendAsync(TestPartition.Producer(9, 7), "z")).Error);
        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Read_BeyondTheEnd_WhereASecondOwnerKnowsBetter_IsToldToComeAgain()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await partition.ReadAsync(2)).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await partition.Grain.DeleteRecordsAsync(2)).Error);
        await using var other = new PostgresPartitionStore(cluster.Source, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await other.StartAsync(TestContext.Current.CancellationToken);
        var opened = await other.OpenAsync(partition.Id, null, TestContext.Current.CancellationToken);
        var batch = TestPartition.Batch(ProducerStamp.None, 1, "b", "c");
        RecordBatchHeader.StampBaseOffset(batch, 1);
        Assert.Equal(AppendOutcome.Committed, await other.AppendAsync(opened.Owned, new StagedBatch(1, 3, 1, batch, TestStore.Limits)));

        // The first owner has not noticed, and its log ends at 1.
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.ReadAsync(2)).Error);
        Assert.Equal(3, (await partition.AppendUntilTakenAsync(ProducerStamp.None, "d")).BaseOffset);
        Assert.Equal(["b", "c", "d"], (await partition.ReadAllAsync(1)).Select(record => record.Value));
        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task DeleteRecords_BeyondTheEnd_WhereASecondOwnerKnowsBetter_IsToldToComeAgain()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        await using var other = new PostgresPartitionStore(cluster.Source, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await other.StartAsync(TestContext.Current.CancellationToken);
        await other.OpenAsync(partition.Id, null, TestContext.Current.CancellationToken);

        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.Grain.DeleteRecordsAsync(2)).Error);
        await other.StopAsync(CancellationToken.None);
    }

    /// <summary>Orleans ends an activation, and begins the next, only when no call is under way in it.</summary>
    [Fact]
    public async Task Read_OfHistory_WhereThePartitionIsFenced_IsSentAwayAndHoldsNothingUp()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        await partition.DeactivateAsync();
        var read = await BeginHeldReadAsync(partition);
        await using var other = new PostgresPartitionStore(cluster.Source, new StorageOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await other.StartAsync(TestContext.Current.CancellationToken);
        await other.OpenAsync(partition.Id, null, TestContext.Current.CancellationToken);

        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await partition.AppendAsync("b")).Error);
        Assert.Equal(1, (await partition.AppendUntilTakenAsync(ProducerStamp.None, "b").WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken)).BaseOffset);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await read).Error);
        cluster.Faults.HeldReads.TryRemove(partition.Id, out _);
        Assert.Equal(["a", "b"], (await partition.ReadAllAsync()).Select(record => record.Value));
        await other.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Read_OfHistory_WhereThePartitionMoves_IsSentAwayAndHoldsNothingUp()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        await partition.DeactivateAsync();
        var read = await BeginHeldReadAsync(partition);
        var here = (await partition.Grain.DescribeAsync()).SiloName;
        var (from, to) = (cluster.Silos.Silos.Single(silo => silo.Name == here).SiloAddress, cluster.Silos.Silos.First(silo => silo.Name != here));

        await partition.Grain.MoveAsync(from, to.SiloAddress);
        Assert.Equal(1, (await partition.AppendUntilTakenAsync(ProducerStamp.None, "b").WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken)).BaseOffset);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await read).Error);
        cluster.Faults.HeldReads.TryRemove(partition.Id, out _);
        Assert.Equal(to.Name, (await partition.Grain.DescribeAsync()).SiloName);
    }

    /// <summary>Orleans tells the grain nothing of its end then: the opening went on, and fenced whoever had the partition meanwhile.</summary>
    [Fact]
    public async Task Activation_ThatIsGivenUpWhileItOpens_OpensNothing()
    {
        var partition = await cluster.NewPartitionAsync();
        var held = cluster.Faults.HeldOpenings[partition.Id] = new HeldOpening();
        var append = partition.AppendAsync("a");
        var activation = await held.Arrival.WaitAsync(TestContext.Current.CancellationToken);
        activation.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "a test asks"), CancellationToken.None);
        await activation.Deactivated;
        Assert.Equal(ErrorCode.None, (await append).Error);
        await held.ReleaseAsync();

        var next = await partition.AppendAsync("b");
        Assert.Equal((ErrorCode.None, 1L), (next.Error, next.BaseOffset));
        Assert.Equal(0, (await partition.Grain.DescribeAsync()).LeaderEpoch);
        await partition.DeactivateAsync();
        Assert.DoesNotContain(cluster.Silos.Silos, silo => silo.ServiceProvider.GetRequiredService<HostedPartitions>().Serves(partition.Id));
    }

    [Fact]
    public async Task Close_InOrder_SavesProducersSoThatOpeningReadsNoHeaders()
    {
        var partition = await cluster.NewPartitionAsync();
        for (var i = 0; i < 10; i++)
            await partition.AppendAsync(TestPartition.Producer(8, i), $"v{i}");
        await partition.DeactivateAsync();
        await using (var saved = cluster.Source.CreateCommand(
            $"SELECT as_of_offset FROM granary.producer_snapshots JOIN granary.heads USING (partition_id) WHERE topic_id = '{partition.Id.TopicId}'"))
            Assert.Equal(10L, await saved.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal(9, (await partition.AppendAsync(TestPartition.Producer(8, 9), "v9")).BaseOffset);
        Assert.Equal(10, (await partition.AppendAsync(TestPartition.Producer(8, 10), "v10")).BaseOffset);
    }

    [Fact]
    public async Task Delete_OfTheTopic_AnswersWhoeverWaitsOrComes()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        var wait = partition.Grain.WaitAsync(new WaitRequest(Guid.NewGuid(), 1, TimeSpan.FromSeconds(20)));
        await partition.UntilReadersWaitAsync(1);
        await cluster.Catalog.DeleteAsync([new TopicName(partition.Topic)]);
        await wait.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await partition.AppendAsync("b")).Error);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await partition.ReadAsync(0)).Error);
        await partition.Grain.DeleteAsync();
    }

    [Fact]
    public async Task Wait_IsAnsweredByAppendByAnotherWaitAndByTime()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        var (reader, other) = (Guid.NewGuid(), Guid.NewGuid());
        var first = partition.Grain.WaitAsync(new WaitRequest(reader, 1, TimeSpan.FromSeconds(20)));
        await partition.UntilReadersWaitAsync(1);
        var second = partition.Grain.WaitAsync(new WaitRequest(reader, 1, TimeSpan.FromSeconds(20)));
        var further = partition.Grain.WaitAsync(new WaitRequest(other, 2, TimeSpan.FromSeconds(20)));
        await partition.UntilReadersWaitAsync(2);
        await first.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted || further.IsCompleted);
        await partition.AppendAsync("b");
        await second.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.False(further.IsCompleted);
        await partition.Grain.WaitAsync(new WaitRequest(other, 5, TimeSpan.FromMilliseconds(30)));
        await further.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await partition.Grain.WaitAsync(new WaitRequest(other, 1, TimeSpan.FromSeconds(20)));
        Assert.Equal(0, (await partition.Grain.DescribeAsync()).WaitingReaders);
    }

    /// <summary>A read that waits in the store, and would for ever.</summary>
    private async Task<Task<ReadResult>> BeginHeldReadAsync(TestPartition partition)
    {
        var held = cluster.Faults.HeldReads[partition.Id] = new HeldReads();
        var read = partition.ReadAsync(0);
        await held.ArrivalAsync();
        return read;
    }
}

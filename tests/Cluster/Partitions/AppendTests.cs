using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Partitions;

public sealed class AppendTests(PartitionCluster cluster)
{
    [Fact]
    public async Task Append_ThenRead_GivesTheRecordsFromTailAndFromHistory()
    {
        var partition = await cluster.NewPartitionAsync();
        var appends = Enumerable.Range(0, 20).Select(i => partition.AppendAsync($"a{i}", $"b{i}")).ToList();
        foreach (var append in appends)
            Assert.Equal(ErrorCode.None, (await append).Error);
        Assert.Equal(20, appends.Select(append => append.Result.BaseOffset).Distinct().Count());
        var fromTail = await partition.ReadAllAsync();
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), fromTail.Select(record => record.Offset));
        await partition.DeactivateAsync();
        Assert.Equal(fromTail, await partition.ReadAllAsync());
        var described = await partition.Grain.DescribeAsync();
        Assert.Equal((1, 0L, 40L), (described.LeaderEpoch, described.LogStartOffset, described.HighWatermark));
    }

    [Fact]
    public async Task Read_OfLimits_FollowsKafka()
    {
        var partition = await cluster.NewPartitionAsync();
        for (var i = 0; i < 4; i++)
            await partition.AppendAsync(new string('x', 100), "y");
        foreach (var _ in new[] { "tail", "history" })
        {
            var first = await partition.ReadAsync(3, maxBytes: 1);
            RecordBatchHeader.TryRead(first.Records.ToContiguous().Span, out var header);
            Assert.Equal((2L, 0), (header.BaseOffset, header.PartitionLeaderEpoch));
            Assert.Equal(header.TotalBytes, first.Records.Length);
            Assert.True((await partition.ReadAsync(3, maxBytes: 1, strict: true)).Records.IsEmpty);
            Assert.Equal(2 * header.TotalBytes, (await partition.ReadAsync(3, (int)(2.5 * header.TotalBytes))).Records.Length);
            Assert.Equal(ErrorCode.OffsetOutOfRange, (await partition.ReadAsync(9)).Error);
            Assert.Equal(ErrorCode.OffsetOutOfRange, (await partition.ReadAsync(-1)).Error);
            var end = await partition.ReadAsync(8);
            Assert.Equal((ErrorCode.None, true, 8L), (end.Error, end.Records.IsEmpty, end.HighWatermark));
            await partition.DeactivateAsync();
        }
    }

    [Fact]
    public async Task Read_WithAnotherLeaderEpoch_IsToldSo()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("a");
        await partition.DeactivateAsync();
        Assert.Equal(ErrorCode.FencedLeaderEpoch, (await partition.Grain.ReadAsync(new ReadRequest(0, 1, CurrentLeaderEpoch: 0))).Error);
        Assert.Equal(ErrorCode.None, (await partition.Grain.ReadAsync(new ReadRequest(0, 1, CurrentLeaderEpoch: 1))).Error);
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, (await partition.Grain.ReadAsync(new ReadRequest(0, 1, CurrentLeaderEpoch: 2))).Error);
        await partition.AppendAsync("b");
        Assert.Equal(new EpochEndResult(ErrorCode.None, 0, 1), await partition.Grain.FindEpochEndAsync(0, -1));
        Assert.Equal(new EpochEndResult(ErrorCode.None, 1, 2), await partition.Grain.FindEpochEndAsync(1, -1));
        Assert.Equal(new EpochEndResult(ErrorCode.None, -1, -1), await partition.Grain.FindEpochEndAsync(2, -1));
    }

    [Fact]
    public async Task Append_OfARepeat_IsADuplicateWhileInFlightAndAfterReopening()
    {
        var partition = await cluster.NewPartitionAsync();
        await partition.AppendAsync("before");
        var gate = new Gate();
        cluster.Faults.Gates[partition.Id] = gate;
        var first = partition.AppendAsync(TestPartition.Producer(77, 0), "a", "b");
        await gate.ArrivalAsync();
        var repeat = partition.AppendAsync(TestPartition.Producer(77, 0), "a", "b");
        var next = partition.AppendAsync(TestPartition.Producer(77, 2), "c");
        await gate.ArrivalAsync();
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await partition.AppendAsync(TestPartition.Producer(77, 9), "z")).Error);
        Assert.False(first.IsCompleted || repeat.IsCompleted);
        cluster.Faults.Gates.TryRemove(partition.Id, out _);
        gate.Open();
        Assert.Equal((1L, 1L, 3L), ((await first).BaseOffset, (await repeat).BaseOffset, (await next).BaseOffset));

        await partition.DeactivateAsync();
        Assert.Equal(3, (await partition.AppendAsync(TestPartition.Producer(77, 2), "c")).BaseOffset);
        Assert.Equal(1, (await partition.AppendAsync(TestPartition.Producer(77, 0), "a", "b")).BaseOffset);
        Assert.Equal(4, (await partition.AppendAsync(TestPartition.Producer(77, 0, epoch: 1), "d")).BaseOffset);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await partition.AppendAsync(TestPartition.Producer(77, 3), "e")).Error);
        Assert.Equal(["before", "a", "b", "c", "d"], (await partition.ReadAllAsync()).Select(record => record.Value));
    }

    [Fact]
    public async Task Append_AgainstTheTopicsLimits_IsRefused()
    {
        var partition = await cluster.NewPartitionAsync(("max.message.bytes", "200"), ("message.timestamp.after.max.ms", "1000"));
        var large = await partition.AppendAsync(new string('x', 300));
        Assert.Equal(ErrorCode.MessageTooLarge, large.Error);
        Assert.Contains("200", large.Message);
        var future = TestPartition.Batch(ProducerStamp.None, DateTimeOffset.UtcNow.AddMinutes(1).ToUnixTimeMilliseconds(), "a");
        Assert.Equal(ErrorCode.InvalidTimestamp, (await partition.AppendAsync(future)).Error);
        Assert.Equal(0, (await partition.AppendAsync("a")).BaseOffset);
    }

    [Fact]
    public async Task Append_WithLogAppendTime_StampsAndKeepsTheCrcRight()
    {
        var partition = await cluster.NewPartitionAsync(("message.timestamp.type", "LogAppendTime"));
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var appended = await partition.AppendAsync(TestPartition.Batch(ProducerStamp.None, 5, "a", "b"));
        Assert.InRange(appended.LogAppendTime, before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        foreach (var record in RecordBatchReader.ReadAll((await partition.ReadAsync(0)).Records.ToContiguous()))
            Assert.Equal(appended.LogAppendTime, record.Timestamp);
    }

    [Fact]
    public async Task Calls_ToAPartitionThatDoesNotExist_CreateNothing()
    {
        var partition = await cluster.NewPartitionAsync();
        foreach (var id in new[] { new PartitionId(Guid.NewGuid(), 0), partition.Id with { Index = 1 } })
        {
            var batch = TestPartition.Batch(ProducerStamp.None, 1, "a");
            Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await cluster.Grain(id).AppendAsync(new AppendRequest(new RecordBytes(batch)))).Error);
            Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await cluster.Grain(id).ReadAsync(new ReadRequest(0, 1))).Error);
            await cluster.Grain(id).WaitAsync(new WaitRequest(Guid.NewGuid(), 0, TimeSpan.FromSeconds(20)));
            await using var count = cluster.Source.CreateCommand($"SELECT count(*) FROM granary.heads WHERE topic_id = '{id.TopicId}' AND partition = {id.Index}");
            Assert.Equal(0L, await count.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task ProducerIds_OverRestarts_NeverRepeat()
    {
        var grain = cluster.Silos.Client.GetGrain<IProducerIdGrain>(IProducerIdGrain.Key);
        var ids = new List<long> { await grain.NextAsync(), await grain.NextAsync() };
        await cluster.Silos.DeactivateAsync(grain);
        ids.Add(await grain.NextAsync());
        Assert.Equal([ids[0], ids[0] + 1, ids[0] + 1_000], ids);
    }
}

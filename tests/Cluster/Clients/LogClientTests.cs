using System.Globalization;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Cluster.Storage;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Cluster.Clients;

public sealed class LogClientTests(PrivatePostgres postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SendAndRead_AreTheSame_InEveryCodec()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        await new LogAdmin(cluster.Client).CreateTopicAsync("events", partitionCount: 4);
        var expected = 0;
        foreach (var codec in Enum.GetValues<CompressionCodec>())
        {
            await using var producer = new LogProducer(cluster.Client, new LogProducerOptions { Compression = codec, BatchSizeBytes = 4_000 });
            await Task.WhenAll(Enumerable.Range(expected, 500).Select(i =>
                producer.SendTextAsync("events", $"key-{i % 11}", Text(i), [new RecordHeader("n", new byte[] { 1, 2 })])));
            expected += 500;
        }

        await using var consumer = new LogConsumer(cluster.Client, new LogConsumerOptions { PartitionReadBytes = 20_000, ClientId = "auditor" });
        var partitions = await consumer.PartitionsOfAsync("events");
        consumer.Assign([.. partitions.Select(partition => new TopicPartitionOffset(partition, LogPosition.Earliest))]);
        var records = await TakeAsync(consumer, expected);
        Assert.Equal(expected, (await consumer.EndOffsetsAsync(partitions)).Values.Sum());
        foreach (var key in records.GroupBy(record => record.KeyText))
            Assert.Equal(key.Select(Number).Order(), key.Select(Number));
        Assert.Equal(Enumerable.Range(0, expected), records.Select(Number).Order());
        var topic = await new TopicDirectory(cluster.Client).FindOrAskAsync("events");
        var described = await cluster.Client.GetGrain<IPartitionGrain>(new PartitionId(topic!.TopicId, 0).ToKey()).DescribeAsync();
        Assert.Equal("auditor", Assert.Single(described.Readers).ClientId);
        Assert.All(records, record => Assert.Equal([1, 2], Assert.Single(record.Headers).Value!.Value.ToArray()));
    }

    [Fact]
    public async Task Send_WhileASiloDies_KeepsEachRecordOnceAndInOrder()
    {
        const int Count = 4_000;
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        await new LogAdmin(cluster.Client).CreateTopicAsync("events", partitionCount: 6);
        await using var producer = new LogProducer(cluster.Client, new LogProducerOptions { BatchSizeBytes = 2_000, RequestTimeout = TimeSpan.FromSeconds(2) });
        await using var consumer = new LogConsumer(cluster.Client, new LogConsumerOptions { MaxWait = TimeSpan.FromSeconds(1) });
        consumer.Assign([.. (await consumer.PartitionsOfAsync("events")).Select(partition => new TopicPartitionOffset(partition, LogPosition.Earliest))]);
        var reading = TakeAsync(consumer, Count);
        var sends = new List<Task<RecordMetadata>>();
        Task? killing = null;
        for (var i = 0; i < Count; i++)
        {
            sends.Add(producer.SendTextAsync("events", $"key-{i % 13}", Text(i)));
            if (i % 100 == 0)
                await sends[^1];
            if (i == Count / 2)
                killing = cluster.KillOneAsync();
        }

        var places = await Task.WhenAll(sends);
        await killing!;
        var records = await reading;
        Assert.Equal(Enumerable.Range(0, Count), records.Select(Number).Order());
        Assert.Equal(
            places.Select((place, i) => (place.Partition, place.Offset, i)).OrderBy(told => told.i),
            records.Select(record => (record.Partition, record.Offset, Number(record))).OrderBy(read => read.Item3));
        foreach (var key in records.GroupBy(record => record.KeyText))
            Assert.Equal(key.Select(Number).Order(), key.Select(Number));
    }

    [Fact]
    public async Task Admin_CreatesChangesListsAndDeletes()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        var admin = new LogAdmin(cluster.Client);
        await admin.CreateTopicAsync("b", partitionCount: 2);
        await admin.CreateTopicAsync("a", configs: new Dictionary<string, string?> { ["retention.ms"] = "60000" });
        Assert.Equal(ErrorCode.TopicAlreadyExists, (await Assert.ThrowsAsync<LogException>(() => admin.CreateTopicAsync("a"))).Error);
        Assert.Equal(["a", "b"], (await admin.ListTopicsAsync()).Select(topic => topic.Name));
        Assert.Equal("5000", (await admin.AlterConfigAsync("a", new Dictionary<string, string?> { ["retention.ms"] = "5000" })).Overrides["retention.ms"]);
        Assert.Equal(3, (await admin.AddPartitionsAsync("b", 3)).PartitionCount);
        await admin.DeleteTopicAsync("a");
        Assert.Null(await admin.FindTopicAsync("a"));
    }

    [Fact]
    public async Task Admin_ListsDescribesAndDeletesGroups()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        var admin = new LogAdmin(cluster.Client);
        await admin.CreateTopicAsync("events", partitionCount: 2);
        await using var producer = new LogProducer(cluster.Client);
        for (var number = 0; number < 5; number++)
            await producer.SendTextAsync("events", null, Text(number), partition: 0);
        var partition = new TopicPartition("events", 0);
        await using (var consumer = new LogConsumer(cluster.Client))
        {
            consumer.Subscribe(["events"], "readers", new SubscriptionOptions { AutoCommitInterval = null });
            var third = (await TakeAsync(consumer, 3))[^1];
            Assert.Empty(await consumer.CommittedAsync(Cancellation));
            var place = new TopicPartitionOffset(partition, LogPosition.After(third)) { Metadata = "half way" };
            await consumer.CommitAsync([place], Cancellation);

            Assert.Equal([new(partition, place)], await consumer.CommittedAsync(Cancellation));
            Assert.Single((await admin.DescribeGroupAsync("readers")).Consumer!.Members);
            var lag = Assert.Single(await admin.GroupLagAsync("readers"));
            Assert.Equal((partition, 3L, 5L, 2L, "half way"), (lag.Key, lag.Value.Committed.Offset, lag.Value.HighWatermark, lag.Value.Lag, lag.Value.Committed.Metadata));
            Assert.Equal(ErrorCode.NonEmptyGroup, (await Assert.ThrowsAsync<LogException>(() => admin.DeleteGroupAsync("readers"))).Error);
        }

        await NegativeOffsetIsNoneAsync(cluster.Client, admin);
        Assert.Equal(["readers"], (await admin.ListGroupsAsync()).Select(group => group.GroupId));
        await admin.DeleteGroupAsync("readers");
        Assert.Empty(await admin.ListGroupsAsync());
        Assert.Equal(ErrorCode.GroupIdNotFound, (await Assert.ThrowsAsync<LogException>(() => admin.DescribeGroupAsync("readers"))).Error);
        Assert.Equal(ErrorCode.InvalidGroupId, (await Assert.ThrowsAsync<LogException>(() => admin.GroupLagAsync(new string('g', 256)))).Error);
    }

    /// <summary>Of the first partition a position is kept, of the other one an offset that is none.</summary>
    private static async Task NegativeOffsetIsNoneAsync(IGrainFactory grains, LogAdmin admin)
    {
        var other = new PartitionId((await admin.FindTopicAsync("events"))!.TopicId, 1);
        var group = grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf("readers"));
        Assert.Equal([ErrorCode.None], await group.CommitAsync(new CommitRequest(new GroupCaller("", null, -1), [new OffsetToCommit(other, -2, -1, "")])));
        Assert.Equal([-2L, 3L], (await group.FetchOffsetsAsync([])).Offsets.Select(one => one.Offset).Order());
        Assert.Equal(0, Assert.Single(await admin.GroupLagAsync("readers")).Key.Partition);
        Assert.Equal(0, Assert.Single((await admin.DescribeGroupAsync("readers")).Lags).Committed.Partition.Index);
        var plan = await admin.PlanResetAsync("readers", new ResetRule(null, null, ResetSpec.Latest));
        Assert.Equal([(0, 3L, 5L), (1, -1L, 0L)], plan.Partitions.Select(one => (one.Partition.Index, one.From, one.To)).Order());
        var reset = await admin.ExecuteResetAsync("readers", new ResetExecution(plan.PlanId, "operator", "a test"));
        Assert.Equal([3L, -1L], reset.Done!.Changes.OrderBy(change => change.Partition.Index).Select(change => change.From));
    }

    [Fact]
    public async Task Read_OfATopicThatIsDeleted_EndsWithItsName()
    {
        await using var cluster = await ClusterOfTwo.StartAsync(postgres, Cancellation);
        var admin = new LogAdmin(cluster.Client);
        await admin.CreateTopicAsync("gone", partitionCount: 1);
        await using var producer = new LogProducer(cluster.Client);
        await producer.SendTextAsync("gone", null, "0");
        await using var consumer = new LogConsumer(cluster.Client, new LogConsumerOptions { MaxWait = TimeSpan.FromSeconds(1) });
        consumer.Assign(new TopicPartitionOffset("gone", 0, LogPosition.Earliest));
        Assert.Equal(0, Assert.Single(await TakeAsync(consumer, 1)).Offset);
        await admin.DeleteTopicAsync("gone");
        var ended = await Assert.ThrowsAsync<LogException>(() => TakeAsync(consumer, 1));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, ended.Error);
        Assert.Contains("gone", ended.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await Assert.ThrowsAsync<LogException>(() => producer.SendTextAsync("gone", null, "1"))).Error);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(ConsumedRecord record) => int.Parse(record.ValueText!, CultureInfo.InvariantCulture);

    private static async Task<List<ConsumedRecord>> TakeAsync(LogConsumer consumer, int count)
    {
        var records = new List<ConsumedRecord>(count);
        await foreach (var record in consumer.ReadAsync(Cancellation))
        {
            records.Add(record);
            if (records.Count == count)
                break;
        }

        return records;
    }
}

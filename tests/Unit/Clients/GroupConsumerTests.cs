using System.Collections.Concurrent;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Clients;

/// <summary>What a subscribed consumer does with its group: who reads what, when positions are committed, and what its callbacks are told.</summary>
public sealed class GroupConsumerTests
{
    private static readonly LogConsumerOptions s_quick = new() { RetryBackoff = TimeSpan.FromMilliseconds(1), MaxRetryBackoff = TimeSpan.FromMilliseconds(5) };

    private readonly FakeCluster _cluster = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TwoMembers_ShareThePartitions_AndReadEachRecordOnce()
    {
        var random = new Random(7);
        _cluster.Group.Loses = () =>
        {
            lock (random)
                return random.Next(10) == 0;
        };
        var events = new ConcurrentQueue<string>();
        var read = new ConcurrentQueue<(int, long)>();
        Append(100);
        await using var first = Open("first", events);
        var firstReads = ReadAllAsync(first, read);
        await HoldsAsync(() => read.Count == 300);
        await using var second = Open("second", events);
        var secondReads = ReadAllAsync(second, read);
        await HoldsAsync(() => first.Assignment.Count + second.Assignment.Count == 3 && second.Assignment.Count > 0);
        Append(100);
        await HoldsAsync(() => read.Count >= 600);
        await first.DisposeAsync();
        await HoldsAsync(() => second.Assignment.Count == 3);
        Append(10);
        await HoldsAsync(() => read.Count >= 630);
        await second.DisposeAsync();
        await Task.WhenAll(firstReads, secondReads);
        Assert.Equal(630, read.Count);
        Assert.Equal(630, read.Distinct().Count());
        Assert.Equal(0, _cluster.Group.Members);
        foreach (var partition in Enumerable.Range(0, 3))
            AssertGivenBackBeforeTakenUp(events, partition);
    }

    [Fact]
    public async Task Commit_IsWhereTheNextMemberStarts()
    {
        Append(10);
        await using (var consumer = Open(options: new SubscriptionOptions { AutoCommitInterval = null }))
        {
            await TakeAsync(consumer, 30);
            await consumer.CommitAsync([new TopicPartitionOffset("events", 0, LogPosition.At(4))], Cancellation);
        }

        Assert.Equal([4L, null, null], Enumerable.Range(0, 3).Select(_cluster.Group.OffsetOf));
        await using var next = Open(options: new SubscriptionOptions { AutoCommitInterval = null });
        var records = await TakeAsync(next, 26);
        Assert.Equal(4, records.Where(record => record.Partition.Partition == 0).Min(record => record.Offset));
        _cluster.Group.NextRefusal = ErrorCode.StaleMemberEpoch;
        await next.CommitAsync(Cancellation);
        Assert.Equal([10L, 10L, 10L], Enumerable.Range(0, 3).Select(_cluster.Group.OffsetOf));
    }

    [Fact]
    public async Task Commit_KeepsTheLeaderEpochOfWhatWasRead_AndTheMetadata()
    {
        _cluster.Partition(0).LeaderEpoch = 3;
        Append(2, partitions: 1);
        _cluster.Partition(0).LeaderEpoch = 7;
        Append(2, partitions: 1);
        var partition = new TopicPartition("events", 0);
        await using (var consumer = Open())
        {
            var second = (await TakeAsync(consumer, 2))[^1];
            await consumer.CommitAsync(Cancellation);
            Assert.Equal((2, 3, ""), Kept());
            await consumer.CommitAsync([new TopicPartitionOffset(partition, LogPosition.After(second)) { Metadata = "half" }], Cancellation);
        }

        // Commits on leaving: the record in hand counted as done, and what says nothing new takes nothing away.
        Assert.Equal((2, 3, "half"), Kept());
        await using (var consumer = Open())
            await TakeAsync(consumer, 1);
        Assert.Equal((2, 3, "half"), Kept());
        await using (var consumer = Open())
            await TakeAsync(consumer, 2);
        Assert.Equal((3, 7, ""), Kept());

        (long, int, string) Kept() => _cluster.Group.KeptOf(0) is { } kept ? (kept.Offset, kept.LeaderEpoch, kept.Metadata) : default;
    }

    [Fact]
    public async Task AutoCommit_LeavesOutTheRecordInHand()
    {
        Append(10, partitions: 1);
        await using (var consumer = Open())
            Assert.Equal(4, (await TakeAsync(consumer, 5))[^1].Offset);
        Assert.Equal(4, _cluster.Group.OffsetOf(0));
    }

    [Fact]
    public async Task AutoCommit_ByInterval_CommitsWhileItWaits()
    {
        Append(10, partitions: 1);
        await using var consumer = Open(options: new SubscriptionOptions { AutoCommitInterval = TimeSpan.FromMilliseconds(5) });
        var reading = ReadAllAsync(consumer, []);
        await HoldsAsync(() => _cluster.Group.OffsetOf(0) == 10);
        await consumer.DisposeAsync();
        await reading;
    }

    [Fact]
    public async Task Removed_IsTold_JoinsAgain_AndGoesOnAtTheCommit()
    {
        Append(10, partitions: 1);
        var events = new ConcurrentQueue<string>();
        await using var consumer = Open("it", events, TimeSpan.FromHours(1));
        await TakeAsync(consumer, 3);
        await consumer.CommitAsync(Cancellation);
        await TakeAsync(consumer, 3);
        _cluster.Group.Expel();
        var removed = await Assert.ThrowsAsync<LogException>(() => consumer.CommitAsync(Cancellation));
        Assert.Equal(ErrorCode.UnknownMemberId, removed.Error);
        Assert.Equal(3, _cluster.Group.OffsetOf(0));
        var read = new ConcurrentQueue<(int, long)>();
        var reading = ReadAllAsync(consumer, read);
        await HoldsAsync(() => read.Contains((0, 3L)));
        Assert.Equal(["it assigned 0", "it lost 0", "it assigned 0"], events.Where(told => told.EndsWith('0')));
        await consumer.DisposeAsync();
        await reading;
    }

    [Fact]
    public async Task StuckReader_Leaves_AndJoinsWhenItIsBack()
    {
        Append(10, partitions: 1);
        var events = new ConcurrentQueue<string>();
        await using var consumer = Open("it", events, options: new SubscriptionOptions { MaxProcessingTime = TimeSpan.FromMilliseconds(300) });
        await TakeAsync(consumer, 2);
        await HoldsAsync(() => _cluster.Group.Members == 0);
        var read = new ConcurrentQueue<(int, long)>();
        var reading = ReadAllAsync(consumer, read);
        await HoldsAsync(() => _cluster.Group.Members == 1 && read.Contains((0, 9L)));
        Assert.Contains("it lost 0", events);
        await consumer.DisposeAsync();
        await reading;
    }

    [Fact]
    public async Task ReaderThatEndsWhileItWaits_Leaves_AndJoinsWhenItIsBack()
    {
        await using var consumer = Open(options: new SubscriptionOptions { MaxProcessingTime = TimeSpan.FromMilliseconds(300) });
        using (var ending = new CancellationTokenSource())
        {
            var waiting = TakeAsync(consumer, 1, ending.Token);
            await HoldsAsync(() => consumer.Assignment.Count == 3);
            await ending.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        await HoldsAsync(() => _cluster.Group.Members == 0);

        // It had lost all, so what it reads now it was given anew.
        Append(1, partitions: 1);
        Assert.Equal(0, Assert.Single(await TakeAsync(consumer, 1)).Offset);
    }

    [Fact]
    public async Task NoOffset_Throws_WherePolicySaysSo_AndASeekMendsIt()
    {
        Append(10, partitions: 1);
        await using var consumer = Open(options: new SubscriptionOptions { Start = OffsetReset.Throw });
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await Assert.ThrowsAsync<LogException>(() => TakeAsync(consumer, 1))).Error);
        consumer.Seek(new TopicPartition("events", 0), LogPosition.At(7));
        consumer.Resume(new TopicPartition("events", 0));
        Assert.Equal(7, (await TakeAsync(consumer, 1))[0].Offset);
    }

    [Theory]
    [InlineData(OffsetReset.Earliest, 0L)]
    [InlineData(OffsetReset.Latest, 10L)]
    public async Task NegativeOffset_IsNone_AndThePartitionIsReadByPolicy(OffsetReset start, long from)
    {
        // As kafkajs commits them where it resets to the end and to the start.
        for (var index = 0; index < 2; index++)
            _cluster.Group.Keep(new PartitionId(_cluster.Topic!.TopicId, index), index - 2);
        Append(10);
        await using var consumer = Open(interval: TimeSpan.FromHours(1), options: new SubscriptionOptions { Start = start });
        var read = new ConcurrentQueue<(int Partition, long Offset)>();
        var reading = ReadAllAsync(consumer, read);
        await HoldsAsync(() => consumer.Assignment.Count == 3 && consumer.Assignment.All(partition => consumer.PositionOf(partition) == LogPosition.At(10)));
        Assert.Empty(await consumer.CommittedAsync(Cancellation));
        Append(1);
        await HoldsAsync(() => read.Count == 3 * (11 - from));
        Assert.All(read.GroupBy(one => one.Partition), own => Assert.Equal(from, own.Min(one => one.Offset)));
        await consumer.CommitAsync(Cancellation);
        Assert.Equal([11L, 11L, 11L], Enumerable.Range(0, 3).Select(_cluster.Group.OffsetOf));
        await consumer.DisposeAsync();
        await reading;
    }

    [Fact]
    public async Task Revoked_OnLeaving_MayResumeAndSeek_AndNobodyReadsOn()
    {
        Append(10, partitions: 1);
        var partition = new TopicPartition("events", 0);
        var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Subscribe(["events"], "group", new SubscriptionOptions
        {
            ClientId = "late",
            AutoCommitInterval = null,
            Revoked = async _ =>
            {
                consumer.Resume(partition);
                consumer.Seek(partition, LogPosition.At(3));
                await consumer.CommitAsync(Cancellation);
            },
        });
        await TakeAsync(consumer, 5);

        // It has read all there is, and waits for more.
        await HoldsAsync(() => _cluster.Partition(0).Readers.Count == 2);
        consumer.Pause(partition);
        await consumer.DisposeAsync();
        Assert.Equal(3, _cluster.Group.OffsetOf(0));
        Assert.Equal(LogPosition.At(3), consumer.PositionOf(partition));
        consumer.Resume(partition);
        consumer.Drop(partition);
        consumer.Take(partition, LogPosition.At(1));
        await using (var next = Open())
            Assert.Equal(3, (await TakeAsync(next, 1))[0].Offset);
        Assert.Equal(2, _cluster.Partition(0).Readers.Count(reader => reader == "late"));
    }

    [Fact]
    public async Task Revoked_ThatThrowsOnLeaving_IsTold_AndAllEndsNevertheless()
    {
        var consumer = new LogConsumer(_cluster.Grains, s_quick);
        consumer.Subscribe(["events"], "group", new SubscriptionOptions { Revoked = _ => throw new TimeZoneNotFoundException("the callback fails") });
        var reading = ReadAllAsync(consumer, []);
        await HoldsAsync(() => _cluster.Followers == 1 && consumer.Assignment.Count == 3);
        await Assert.ThrowsAsync<TimeZoneNotFoundException>(() => consumer.DisposeAsync().AsTask());
        await reading;
        Assert.Equal((0, 0), (_cluster.Group.Members, _cluster.Followers));
    }

    [Fact]
    public async Task WrongUse_IsRefused()
    {
        await using var consumer = new LogConsumer(_cluster.Grains, s_quick);
        await Assert.ThrowsAsync<InvalidOperationException>(() => consumer.CommitAsync(Cancellation));
        Assert.Throws<ArgumentException>(() => consumer.Subscribe([], "group"));
        Assert.Throws<ArgumentException>(() => consumer.Subscribe(["events"], new string('g', 256)));
        consumer.Subscribe(["events"], "group");
        Assert.Throws<InvalidOperationException>(() => consumer.Subscribe(["events"], "group"));
        Assert.Throws<InvalidOperationException>(() => consumer.Assign());
    }

    /// <summary>Of one partition: assigned and given back in turns, never two assigned in a row.</summary>
    private static void AssertGivenBackBeforeTakenUp(IEnumerable<string> events, int partition)
    {
        string? owner = null;
        foreach (var told in events.Select(told => told.Split(' ')).Where(told => told[2] == $"{partition}"))
        {
            Assert.Equal(told[1] == "assigned" ? null : told[0], owner);
            owner = told[1] == "assigned" ? told[0] : null;
        }

        Assert.Null(owner);
    }

    private static async Task HoldsAsync(Func<bool> holds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!holds())
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private static Task ReadAllAsync(LogConsumer consumer, ConcurrentQueue<(int, long)> read) => Task.Run(
        async () =>
        {
            await foreach (var record in consumer.ReadAsync(Cancellation))
                read.Enqueue((record.Partition.Partition, record.Offset));
        },
        Cancellation);

    private static async Task<List<ConsumedRecord>> TakeAsync(LogConsumer consumer, int count, CancellationToken? ending = null)
    {
        var records = new List<ConsumedRecord>();
        await foreach (var record in consumer.ReadAsync(ending ?? Cancellation))
        {
            records.Add(record);
            if (records.Count == count)
                break;
        }

        return records;
    }

    private LogConsumer Open(string name = "it", ConcurrentQueue<string>? events = null, TimeSpan? interval = null, SubscriptionOptions? options = null)
    {
        var consumer = new LogConsumer(_cluster.Grains, s_quick);
        options ??= new SubscriptionOptions { AutoCommitInterval = interval ?? TimeSpan.FromSeconds(5) };
        consumer.Subscribe(["events"], "group", options with { Assigned = Note("assigned"), Revoked = Note("revoked"), Lost = Note("lost") });
        return consumer;

        Func<IReadOnlyCollection<TopicPartition>, Task> Note(string what) => partitions =>
        {
            foreach (var partition in partitions)
                events?.Enqueue($"{name} {what} {partition.Partition}");
            return Task.CompletedTask;
        };
    }

    private void Append(int records, int partitions = 3)
    {
        for (var index = 0; index < partitions; index++)
        {
            var writer = new RecordBatchWriter();
            for (var i = 0; i < records; i++)
                writer.Append(i, null, null);
            _cluster.Partition(index).Append(writer.Build());
        }
    }
}

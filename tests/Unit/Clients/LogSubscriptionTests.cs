using System.Collections.Concurrent;
using System.Text;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
using Granary.Abstractions.Subscriptions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Granary.Unit.Clients;

/// <summary>How records come to subscribed grains, without the grains: which gets which, in what order, what is committed, and what a failure does.</summary>
public sealed class LogSubscriptionTests
{
    private static readonly TopicPartition s_partition = new("events", 0);
    private static readonly LogSubscriptionOptions s_quick = new() { RetryBackoff = TimeSpan.FromMilliseconds(1), MaxRetryBackoff = TimeSpan.FromMilliseconds(5) };

    private readonly ConcurrentQueue<(string Grain, long Offset)> _got = new();
    private readonly ConcurrentQueue<string> _pauses = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ByKey_EachGrainGetsItsOwn_InOrder_ThoughCallsFail()
    {
        var random = new Random(11);
        var dispatch = Dispatch(new LogSubscriptionAttribute("events") { Group = "g", By = SubscriptionKey.Key, MaxBatchRecords = 3 }, () =>
        {
            lock (random)
                return random.Next(20) == 0;
        });
        for (var offset = 0; offset < 200; offset++)
            dispatch.Take(Record(offset, $"key-{offset % 7}"));
        await HoldsAsync(() => dispatch.Position == LogPosition.At(200));
        Assert.Equal(200, _got.Count);
        foreach (var grain in _got.GroupBy(got => got.Grain))
            Assert.Equal(Enumerable.Range(0, 200).Where(offset => $"key-{offset % 7}" == grain.Key).Select(offset => (long)offset), grain.Select(got => got.Offset));
    }

    [Fact]
    public async Task Position_StaysBelowTheRecordThatFails_AndOthersGoOn_UpToTheLimit()
    {
        var dispatch = Dispatch(new LogSubscriptionAttribute("events") { Group = "g", By = SubscriptionKey.Key, MaxUnfinished = 4 }, () => false, failing: "bad");
        foreach (var (offset, key) in new[] { (0, "good"), (1, "bad"), (2, "good"), (3, "bad"), (4, "good") })
            dispatch.Take(Record(offset, key));
        await HoldsAsync(() => _got.Count == 3 && dispatch.Position == LogPosition.At(1));
        for (var offset = 5; offset < 10; offset++)
            dispatch.Take(Record(offset, "bad"));
        Assert.Equal("pause", _pauses.Last());
        await dispatch.EndAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(LogPosition.At(1), dispatch.Position);
    }

    [Theory]
    [InlineData(SubscriberFailure.Skip, 3)]
    [InlineData(SubscriberFailure.StopPartition, 0)]
    public async Task Failure_AfterTheLastAttempt_DoesWhatIsSaid(SubscriberFailure policy, long position)
    {
        var dispatch = Dispatch(new LogSubscriptionAttribute("events") { Group = "g", OnFailure = policy, MaxAttempts = 2, MaxBatchRecords = 1 }, () => false, failing: "events/0");
        for (var offset = 0; offset < 3; offset++)
            dispatch.Take(Record(offset, "any"));
        await HoldsAsync(() => policy == SubscriberFailure.Skip ? dispatch.Position == LogPosition.At(3) : _pauses.Contains("pause"));
        Assert.Equal(LogPosition.At(position), dispatch.Position);
        Assert.Empty(_got);
    }

    [Fact]
    public async Task Batch_ThatTakesTooLong_IsDoneInParts_InOrder()
    {
        var sizes = new ConcurrentQueue<int>();
        var dispatch = Dispatch(new LogSubscriptionAttribute("events") { Group = "g" }, async (grain, records) =>
        {
            sizes.Enqueue(records.Records.Length);
            if (records.Records.Length > 30)
                throw new TimeoutException("the grain works on");
            await CallAsync(grain, records, false);
        });
        for (var offset = 0; offset < 200; offset++)
            dispatch.Take(Record(offset, "any"));
        await HoldsAsync(() => dispatch.Position == LogPosition.At(200));
        Assert.Equal(Enumerable.Range(0, 200).Select(offset => (long)offset), _got.Select(got => got.Offset));
        Assert.InRange(sizes.Count(size => size > 30), 1, 3);
        Assert.InRange(sizes.Count, 8, 16);
    }

    [Fact]
    public async Task Batch_IsBoundedByBytes_AndALargerRecordGoesAlone()
    {
        var calls = new ConcurrentQueue<long[]>();
        var isOpen = new TaskCompletionSource();
        var dispatch = Dispatch(new LogSubscriptionAttribute("events") { Group = "g", MaxBatchBytes = 10_000 }, async (_, records) =>
        {
            await isOpen.Task;
            calls.Enqueue([.. records.Records.Select(record => record.Offset)]);
        });
        foreach (var (offset, bytes) in new[] { (0, 20_000), (1, 4_000), (2, 4_000), (3, 4_000), (4, 20_000), (5, 10) })
            dispatch.Take(Record(offset, "any", bytes));
        isOpen.SetResult();
        await HoldsAsync(() => dispatch.Position == LogPosition.At(6));
        Assert.Equal([[0], [1, 2], [3], [4], [5]], calls);
    }

    [Fact]
    public async Task Skip_LeavesOutTheOneRecordThatFails()
    {
        var dispatch = Dispatch(
            new LogSubscriptionAttribute("events") { Group = "g", OnFailure = SubscriberFailure.Skip },
            (grain, records) => CallAsync(grain, records, records.Records.Any(record => record.Offset == 37)),
            s_quick);
        for (var offset = 0; offset < 150; offset++)
            dispatch.Take(Record(offset, "any"));
        await HoldsAsync(() => dispatch.Position == LogPosition.At(150));
        Assert.Equal(Enumerable.Range(0, 150).Where(offset => offset != 37).Select(offset => (long)offset), _got.Select(got => got.Offset));
    }

    [Fact]
    public void BatchSize_HalvesByFailures_AndGrowsCarefully_UnlessItWasNotTheSize()
    {
        var size = new BatchSize(100);
        size.Failed(100);
        Assert.Equal(50, size.Records);
        size.Succeeded(50);
        Assert.Equal(51, size.Records);
        size.Succeeded(20);
        Assert.Equal(51, size.Records);
        size.Failed(3);
        Assert.Equal(1, size.Records);
        size.Succeeded(1);
        Assert.Equal(2, size.Records);
        size.Failed(1);
        Assert.Equal(1, size.Records);
        Assert.Equal([2, 4, 8, 16, 32, 64, 100, 100], Enumerable.Range(0, 8).Select(_ =>
        {
            size.Succeeded(size.Records);
            return size.Records;
        }));
        var endless = new BatchSize(int.MaxValue);
        endless.Succeeded(int.MaxValue);
        Assert.Equal(int.MaxValue, endless.Records);
    }

    [Theory]
    [InlineData(0)]
    [InlineData((64 * 1024 * 1024) + 1)]
    public void MaxBatchBytes_OutOfBounds_IsNamed(int bytes) => Assert.Contains(
        $"MaxBatchBytes is {bytes}; allowed: 1 to 67108864",
        Assert.Throws<InvalidOperationException>(() => new LogSubscriptionAttribute("events") { Group = "g", MaxBatchBytes = bytes }.Validate(typeof(NoSubscriber))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Progress_KnowsTheLeaderEpochOfWhatIsDone()
    {
        var progress = new PartitionProgress();
        Assert.Null(progress.Position);
        foreach (var (offset, epoch) in new[] { (5, 2), (6, 2), (7, 4), (9, 8) })
            progress.Take(new ConsumedRecord(s_partition, new Abstractions.Records.Record { Offset = offset }, epoch));
        Assert.Equal((5L, -1), Done());
        progress.Finish(7);
        Assert.Equal((5L, -1), Done());
        progress.Finish(5);
        Assert.Equal((6L, 2), Done());
        progress.Finish(6);
        Assert.Equal((9L, 4), Done());
        progress.Finish(9);
        Assert.Equal((10L, 8), Done());

        (long?, int?) Done() => (progress.Position?.Offset, progress.Position?.LeaderEpoch);
    }

    [Fact]
    public async Task Pump_BringsAllRecords_OfPartitionsInOrder_AndCommitsThem()
    {
        var cluster = new FakeCluster();
        for (var index = 0; index < 3; index++)
            Append(cluster, index, 50);
        await using var topics = new TopicDirectory(cluster.Grains);
        var consumers = new LogConsumers(cluster.Grains, topics, Options.Create(new LogConsumerOptions()));
        var subscription = new LogSubscriptionAttribute("events") { Group = "g", MaxBatchRecords = 8, MaxUnfinished = 16 };
        using var stopping = new CancellationTokenSource();
        var pumps = Enumerable.Range(0, 2)
            .Select(_ => new SubscriptionPump(new SubscriberClass(typeof(NoSubscriber), subscription), new LogSubscriptionOptions(), (grain, records) => CallAsync(grain, records, false), consumers, TimeProvider.System, NullLogger.Instance))
            .Select(pump => pump.RunAsync(stopping.Token))
            .ToArray();
        await HoldsAsync(() => _got.Distinct().Count() == 150);
        await HoldsAsync(() => cluster.Group.Members == 2);
        await stopping.CancelAsync();
        await Task.WhenAll(pumps);
        Assert.Equal(0, cluster.Group.Members);
        foreach (var index in Enumerable.Range(0, 3))
        {
            Assert.Equal(50, cluster.Group.OffsetOf(index));
            Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), _got.Where(got => got.Grain == $"events/{index}").Select(got => got.Offset));
        }
    }

    [Fact]
    public async Task Pump_CallsNoMoreGrainsAtATime_ThanAllowed()
    {
        var cluster = new FakeCluster();
        for (var index = 0; index < 3; index++)
            Append(cluster, index, 20);
        await using var topics = new TopicDirectory(cluster.Grains);
        var consumers = new LogConsumers(cluster.Grains, topics, Options.Create(new LogConsumerOptions()));
        var subscription = new LogSubscriptionAttribute("events") { Group = "g", MaxBatchRecords = 1 };
        var (under, most) = (0, 0);
        var begun = new SemaphoreSlim(0);
        var go = new SemaphoreSlim(0);
        using var stopping = new CancellationTokenSource();
        var pump = new SubscriptionPump(
            new SubscriberClass(typeof(NoSubscriber), subscription),
            new LogSubscriptionOptions { MaxConcurrentCalls = 2 },
            async (grain, records) =>
            {
                lock (begun)
                    most = Math.Max(most, ++under);
                begun.Release();
                await go.WaitAsync(Cancellation);
                lock (begun)
                    under--;
                await CallAsync(grain, records, false);
            },
            consumers,
            TimeProvider.System,
            NullLogger.Instance).RunAsync(stopping.Token);
        await begun.WaitAsync(Cancellation);
        await begun.WaitAsync(Cancellation);
        go.Release(1_000);
        await HoldsAsync(() => _got.Count == 60);
        await stopping.CancelAsync();
        await pump;
        Assert.Equal(2, most);
    }

    [Theory]
    [InlineData(nameof(LogSubscriptionOptions.MaxConcurrentCalls))]
    [InlineData(nameof(LogSubscriptionOptions.CommitInterval))]
    [InlineData(nameof(LogSubscriptionOptions.RetryBackoff))]
    [InlineData(nameof(LogSubscriptionOptions.RestartDelay))]
    public void Options_OfNothing_AreRefusedByName(string name)
    {
        var services = new ServiceCollection();
        services.AddGranarySubscriptions(options =>
        {
            var property = typeof(LogSubscriptionOptions).GetProperty(name)!;
            property.SetValue(options, property.PropertyType == typeof(int) ? 0 : TimeSpan.Zero);
        });
        var refused = Assert.Throws<ArgumentException>(() => services.BuildServiceProvider().GetRequiredService<IOptions<LogSubscriptionOptions>>().Value);
        Assert.StartsWith($"LogSubscriptionOptions.{name} is 0", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Registration_OfWhatIsNoSubscriber_IsRefused()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => new ServiceCollection().AddGranarySubscriptions(typeof(LogSubscriptionTests).Assembly));
        Assert.Contains(nameof(NoSubscriber), refused.Message, StringComparison.Ordinal);
    }

    private static ConsumedRecord Record(long offset, string key, int valueBytes = 0) =>
        new(s_partition, new Abstractions.Records.Record { Offset = offset, Key = Encoding.UTF8.GetBytes(key), Value = new byte[valueBytes] });

    private static void Append(FakeCluster cluster, int partition, int records)
    {
        var writer = new RecordBatchWriter();
        for (var i = 0; i < records; i++)
            writer.Append(i, null, null);
        cluster.Partition(partition).Append(writer.Build());
    }

    private static async Task HoldsAsync(Func<bool> holds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!holds())
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private PartitionDispatch Dispatch(LogSubscriptionAttribute subscription, Func<bool> fails, string? failing = null) =>
        Dispatch(subscription, (grain, records) => CallAsync(grain, records, fails() || grain == failing));

    private PartitionDispatch Dispatch(LogSubscriptionAttribute subscription, Func<string, LogRecords, Task> call, LogSubscriptionOptions? options = null) => new(
        s_partition,
        new DispatchParts(
            subscription,
            options ?? new LogSubscriptionOptions(),
            (grain, records, _) => call(grain, records),
            (_, isHeld) => _pauses.Enqueue(isHeld ? "pause" : "resume"),
            TimeProvider.System,
            NullLogger.Instance));

    private async Task CallAsync(string grain, LogRecords records, bool fails)
    {
        await Task.Yield();
        if (fails)
            throw new InvalidOperationException("the grain fails");
        foreach (var record in records.Records)
            _got.Enqueue((grain, record.Offset));
    }

    [LogSubscription("events", Group = "g")]
    private sealed class NoSubscriber;
}

using System.Text;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
using Xunit;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Clients;

public sealed class LogProducerTests
{
    private static readonly LogProducerOptions s_quick = new() { RetryBackoff = TimeSpan.FromMilliseconds(1), MaxRetryBackoff = TimeSpan.FromMilliseconds(5) };

    private readonly FakeCluster _cluster = new();

    [Fact]
    public async Task Send_TellsPartitionOffsetAndTime()
    {
        await using var producer = new LogProducer(_cluster.Grains, s_quick);
        var time = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);
        var first = await producer.SendTextAsync("events", "foobar", "one", timestamp: time);
        var second = await producer.SendTextAsync("events", "foobar", null);
        var partition = Murmur2.PartitionOf("foobar"u8, 3);
        Assert.Equal(new RecordMetadata(new TopicPartition("events", partition), 0, 1_700_000_000_123), first);
        Assert.Equal((partition, 1L), (second.Partition.Partition, second.Offset));
        Assert.Equal(2, await producer.SendTextAsync("events", "foobar", null, partition: 2) is var third ? third.Partition.Partition : -1);
    }

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Zstd)]
    public async Task Send_OverALossyNetwork_KeepsEachRecordOnceAndInOrder(CompressionCodec codec)
    {
        const int Seed = 4_711;
        var random = new Random(Seed);
        var losses = new Lock();
        _cluster.Losses = () =>
        {
            lock (losses)
                return random.Next(6) < 3 ? (CallFate)random.Next(1, 4) : CallFate.Fine;
        };
        await using var producer = new LogProducer(
            _cluster.Grains,
            s_quick with { BatchSizeBytes = 600, Compression = codec, BufferMemoryBytes = 20_000 });
        var sends = Enumerable.Range(0, 3_000)
            .Select(i => producer.SendTextAsync("events", $"key-{i % 7}", $"{i}", [new RecordHeader("n", BitConverter.GetBytes(i))]))
            .ToArray();
        var places = await Task.WhenAll(sends);
        Assert.Equal(3_000, places.Distinct().Count());
        for (var index = 0; index < 3; index++)
        {
            var records = _cluster.Partition(index).Batches.SelectMany(batch => RecordBatchReader.ReadAll(batch)).ToArray();
            var told = places.Select((place, i) => (place, i)).Where(pair => pair.place.Partition.Partition == index).ToArray();
            Assert.Equal(told.Select(pair => $"{pair.place.Offset} {pair.i}"), records.Select(record => $"{record.Offset} {record.ValueText}"));
        }
    }

    [Fact]
    public async Task Send_WithoutRoom_Waits_ThenFailsByName()
    {
        var gate = new TaskCompletionSource();
        _cluster.AppendsMayGoOn = gate.Task;
        await using var producer = new LogProducer(
            _cluster.Grains,
            s_quick with { BufferMemoryBytes = 2_000, MaxBlock = TimeSpan.FromMilliseconds(50), MaxWaitingSends = 1 });
        var value = new byte[1_500];
        var first = producer.SendAsync("events", null, value);
        var waiting = producer.SendAsync("events", null, value);
        var full = await Assert.ThrowsAsync<LogException>(() => producer.SendAsync("events", null, value));
        Assert.Contains("MaxWaitingSends", full.Message, StringComparison.Ordinal);
        Assert.Contains("MaxBlock", (await Assert.ThrowsAsync<LogException>(() => waiting)).Message, StringComparison.Ordinal);
        Assert.Contains("BufferMemoryBytes", (await Assert.ThrowsAsync<LogException>(() => producer.SendAsync("events", null, new byte[3_000]))).Message, StringComparison.Ordinal);
        gate.SetResult();
        Assert.Equal(0, (await first).Offset);
        Assert.Equal(1, (await producer.SendAsync("events", null, value, partition: (await first).Partition.Partition)).Offset);
    }

    [Fact]
    public async Task Send_ToNoTopic_FailsAtOnce()
    {
        await using var producer = new LogProducer(_cluster.Grains, s_quick);
        var missing = await Assert.ThrowsAsync<LogException>(() => producer.SendTextAsync("nothing", null, "x"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, missing.Error);
        var outside = await Assert.ThrowsAsync<LogException>(() => producer.SendTextAsync("events", null, "x", partition: 3));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, outside.Error);
    }

    [Fact]
    public async Task Send_Refused_SaysWhy_AndTheNextGoesOn()
    {
        await using var producer = new LogProducer(_cluster.Grains, s_quick);
        await producer.SendTextAsync("events", null, "before", partition: 0);
        _cluster.Partition(0).Refusal = ErrorCode.MessageTooLarge;
        var refused = await Assert.ThrowsAsync<LogException>(() => producer.SendTextAsync("events", null, "large", partition: 0));
        Assert.Equal(ErrorCode.MessageTooLarge, refused.Error);
        _cluster.Partition(0).Refusal = ErrorCode.None;
        Assert.Equal(1, (await producer.SendTextAsync("events", null, "after", partition: 0)).Offset);
    }

    [Theory]
    [InlineData(2, "message.timestamp.after.max.ms")]
    [InlineData(-2, "message.timestamp.before.max.ms")]
    public async Task Send_WithATimeThatTheTopicDoesNotTake_IsRefusedAlone(int hoursFromNow, string told)
    {
        _cluster.Topic = _cluster.Topic! with { Overrides = _cluster.Topic.Overrides.Add("message.timestamp.before.max.ms", "3600000") };
        await using var producer = new LogProducer(_cluster.Grains, s_quick with { Linger = TimeSpan.FromMinutes(1) });
        var bad = DateTimeOffset.UtcNow.AddHours(hoursFromNow);

        // Those that wait for the topic to be found, and those that come later.
        var sends = new[] { false, true, false }.Select(isBad => producer.SendTextAsync("events", null, "v", timestamp: isBad ? bad : null, partition: 0)).ToList();
        await producer.FlushAsync();
        sends.AddRange(new[] { false, true, false }.Select(isBad => producer.SendTextAsync("events", null, "v", timestamp: isBad ? bad : null, partition: 0)));
        await producer.FlushAsync();

        foreach (var alone in new[] { 1, 4 })
        {
            var refused = await Assert.ThrowsAsync<LogException>(() => sends[alone]);
            Assert.Equal(ErrorCode.InvalidTimestamp, refused.Error);
            Assert.Contains($"{bad.ToUnixTimeMilliseconds()} lies more than 3600000 ms ({told})", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal([0L, 1L, 2L, 3L], new[] { sends[0], sends[2], sends[3], sends[5] }.Select(send => send.Result.Offset));
        Assert.Equal(2, RecordBatchReader.ReadAll(_cluster.Partition(0).Batches[^1]).Count());
    }

    [Fact]
    public async Task Send_OfMoreThanTheTopicTakes_IsRefusedAlone()
    {
        _cluster.Topic = _cluster.Topic! with { Overrides = _cluster.Topic.Overrides.Add("max.message.bytes", "1000") };
        await using var producer = new LogProducer(_cluster.Grains, s_quick);

        var sends = Enumerable.Range(0, 30).Select(i => producer.SendAsync("events", null, new byte[i % 3 == 1 ? 950 : 100], partition: 0)).ToArray();
        await producer.FlushAsync();

        for (var i = 0; i < sends.Length; i++)
        {
            if (i % 3 == 1)
                Assert.Equal(ErrorCode.MessageTooLarge, (await Assert.ThrowsAsync<LogException>(() => sends[i])).Error);
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(offset => (long)offset), sends.Where((_, i) => i % 3 != 1).Select(send => send.Result.Offset));
    }

    [Fact]
    public async Task Send_WithAnyTime_WhereTheLogStampsThem_IsTaken()
    {
        _cluster.Topic = _cluster.Topic! with { Overrides = _cluster.Topic.Overrides.Add("message.timestamp.type", "LogAppendTime") };
        await using var producer = new LogProducer(_cluster.Grains, s_quick);
        Assert.Equal(0, (await producer.SendTextAsync("events", null, "v", timestamp: DateTimeOffset.UtcNow.AddDays(1), partition: 0)).Offset);
    }

    [Fact]
    public async Task Send_NeverAnswered_FailsAfterDeliveryTimeout()
    {
        _cluster.Losses = () => CallFate.NeverArrives;
        await using var producer = new LogProducer(_cluster.Grains, s_quick with { DeliveryTimeout = TimeSpan.FromMilliseconds(80) });
        var late = await Assert.ThrowsAsync<LogException>(() => producer.SendTextAsync("events", "k", "v"));
        Assert.Equal(ErrorCode.RequestTimedOut, late.Error);
        Assert.IsType<TimeoutException>(late.InnerException);
        _cluster.Losses = () => CallFate.Fine;
        Assert.Equal(0, (await producer.SendTextAsync("events", "k", "v")).Offset);
    }

    [Fact]
    public async Task Linger_GathersOneBatch_AndFlushEndsIt()
    {
        await using var producer = new LogProducer(_cluster.Grains, s_quick with { Linger = TimeSpan.FromMinutes(1) });
        var first = producer.SendTextAsync("events", null, "finds the topic");
        await producer.FlushAsync();
        var sends = Enumerable.Range(0, 50).Select(i => producer.SendTextAsync("events", null, $"{i}")).ToArray();
        await producer.FlushAsync();
        var places = await Task.WhenAll(sends);
        Assert.All(places, place => Assert.Equal(first.Result.Partition, place.Partition));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), places.Select(place => place.Offset));
        var batches = _cluster.Partition(places[0].Partition.Partition).Batches;
        Assert.Equal([1, 50], batches.Select(batch => RecordBatchReader.ReadAll(batch).Count()));
    }

    [Fact]
    public async Task Dispose_SendsWhatWasGathered()
    {
        var producer = new LogProducer(_cluster.Grains, s_quick with { Linger = TimeSpan.FromMinutes(1) });
        var send = producer.SendTextAsync("events", "k", "v");
        await producer.DisposeAsync();
        Assert.True(send.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => producer.SendTextAsync("events", "k", "v"));
    }

    [Fact]
    public async Task Send_ThatRacesDisposal_IsRefused()
    {
        var clock = new ActingClock();
        var producer = new LogProducer(_cluster.Grains, s_quick, time: clock);
        await producer.SendTextAsync("events", null, "one", partition: 0);

        // Where the record's time is read the send has passed the first look, and does not count yet.
        clock.Act = () => producer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Assert.Throws<ObjectDisposedException>(() => { _ = producer.SendTextAsync("events", null, "two", partition: 0); });
        await producer.FlushAsync();
        Assert.Single(_cluster.Partition(0).Batches);
    }

    [Fact]
    public async Task Send_ThatThrows_IsNotWaitedFor()
    {
        var producer = new LogProducer(_cluster.Grains, s_quick);
        Assert.Throws<NullReferenceException>(() => { _ = producer.SendTextAsync("events", null, "one", [default]); });
        var flushing = producer.FlushAsync();
        Assert.True(flushing.IsCompleted);
        await flushing;
        await producer.DisposeAsync();
    }

    [Fact]
    public void Options_OutOfBounds_AreNamed() => Assert.Contains(
        "MaxInFlight is 6",
        Assert.Throws<ArgumentException>(() => new LogProducer(_cluster.Grains, new LogProducerOptions { MaxInFlight = 6 })).Message,
        StringComparison.Ordinal);

    /// <summary>The system's clock, which does something once when it is looked at.</summary>
    private sealed class ActingClock : TimeProvider
    {
        public Action? Act { get; set; }

        public override DateTimeOffset GetUtcNow()
        {
            var act = Act;
            Act = null;
            act?.Invoke();
            return base.GetUtcNow();
        }
    }
}

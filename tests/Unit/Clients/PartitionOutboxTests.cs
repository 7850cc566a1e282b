using CsCheck;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
using Xunit;
using LogRecord = Granary.Abstractions.Records.Record;

namespace Granary.Unit.Clients;

public sealed class PartitionOutboxTests
{
    private static readonly TimeSpan s_backoff = TimeSpan.FromMilliseconds(10);
    private readonly PartitionOutbox _outbox = new(maxInFlight: 5);
    private TimeSpan _now;

    [Fact]
    public void TakeNext_WithoutAProducerId_GivesNothing()
    {
        _outbox.Enqueue(Batch(1));
        Assert.Null(_outbox.TakeNext(_now));
        Assert.True(_outbox.NeedsProducerId);
        _outbox.UseProducerId(7);
        var batch = _outbox.TakeNext(_now)!;
        Assert.Equal((7L, (short)0, 0), Identity(batch));
    }

    [Fact]
    public void TakeNext_GivesConsecutiveSequences_UpToFive()
    {
        Fill(7, records: 3);
        var sequences = Enumerable.Range(0, 5).Select(_ => _outbox.TakeNext(_now)!.BaseSequence).ToArray();
        Assert.Equal([1, 4, 7, 10, 13], sequences);
        Assert.Null(_outbox.TakeNext(_now));
    }

    /// <summary>The log knows a copy of the oldest again only while that is among the newest five.</summary>
    [Fact]
    public void TakeNext_BehindOneWithoutAnswer_GivesNoMoreThanTheLogRemembers_ThoughTheOthersAreDelivered()
    {
        Fill(7);
        var oldest = _outbox.TakeNext(_now)!;
        for (var after = 0; after < 4; after++)
            _outbox.Answer(_outbox.TakeNext(_now)!, DeliveryVerdict.Delivered, _now, s_backoff);

        Assert.Null(_outbox.TakeNext(_now));
        Assert.False(_outbox.WantsMore);
        _outbox.Answer(oldest, DeliveryVerdict.Delivered, _now, s_backoff);
        Assert.NotNull(_outbox.TakeNext(_now));
    }

    [Fact]
    public void TakeNext_OfAProducerThatTheLogMayNotKnow_GoesAlone()
    {
        _outbox.UseProducerId(7);
        _outbox.Enqueue(Batch(1));
        _outbox.Enqueue(Batch(1));
        var first = _outbox.TakeNext(_now)!;
        Assert.Null(_outbox.TakeNext(_now));
        _outbox.Answer(first, DeliveryVerdict.Delivered, _now, s_backoff);
        Assert.NotNull(_outbox.TakeNext(_now));
        _outbox.Enqueue(Batch(1));
        Assert.NotNull(_outbox.TakeNext(_now));
        _outbox.Enqueue(Batch(1));
        _now += TimeSpan.FromHours(1);
        Assert.Null(_outbox.TakeNext(_now));
    }

    [Fact]
    public void Answer_Retriable_SendsOneAtATime_OldestFirst_UnderTheSameSequence()
    {
        Fill(4);
        var (first, second, third) = (_outbox.TakeNext(_now)!, _outbox.TakeNext(_now)!, _outbox.TakeNext(_now)!);
        _outbox.Answer(second, DeliveryVerdict.OutOfSequence, _now, s_backoff);
        _outbox.Answer(first, DeliveryVerdict.Retriable, _now, s_backoff);
        Assert.Null(_outbox.TakeNext(_now));
        Assert.Equal(_now + s_backoff, _outbox.WakeAfter(_now));
        _now += s_backoff;
        Assert.Same(first, _outbox.TakeNext(_now));
        Assert.Null(_outbox.TakeNext(_now));
        Assert.Equal((7L, (short)0, 1), Identity(first));
        _outbox.Answer(first, DeliveryVerdict.Delivered, _now, s_backoff);
        Assert.Same(second, _outbox.TakeNext(_now));
        _outbox.Answer(second, DeliveryVerdict.Delivered, _now, s_backoff);
        _outbox.Answer(third, DeliveryVerdict.Delivered, _now, s_backoff);
        Assert.Equal((7L, (short)0, 4), Identity(_outbox.TakeNext(_now)!));
    }

    [Fact]
    public void Answer_OutOfSequence_ThoughSentFirst_BeginsAnEpoch_OnceAllAreAnswered()
    {
        Fill(3);
        var (first, second) = (_outbox.TakeNext(_now)!, _outbox.TakeNext(_now)!);
        _outbox.Answer(first, DeliveryVerdict.OutOfSequence, _now, s_backoff);
        _now += s_backoff;
        Assert.Null(_outbox.TakeNext(_now));
        _outbox.Answer(second, DeliveryVerdict.OutOfSequence, _now, s_backoff);
        Assert.Same(first, _outbox.TakeNext(_now));
        Assert.Equal((7L, (short)1, 0), Identity(first));
        Assert.Equal((7L, (short)1, 1), Identity(second));
    }

    [Fact]
    public void Answer_Refused_WithNothingBehindIt_BeginsAnEpoch()
    {
        Fill(2);
        var first = _outbox.TakeNext(_now)!;
        Assert.Equal(DeliveryVerdict.Refused, _outbox.Answer(first, DeliveryVerdict.Refused, _now, s_backoff));
        Assert.Equal((7L, (short)1, 0), Identity(_outbox.TakeNext(_now)!));
    }

    [Fact]
    public void Answer_DeliveredBehindAnExpiredBatch_ProvesThatItWasTaken()
    {
        Fill(3, deadline: TimeSpan.FromSeconds(1));
        var (first, second) = (_outbox.TakeNext(_now)!, _outbox.TakeNext(_now)!);
        _outbox.Answer(first, DeliveryVerdict.Retriable, _now, TimeSpan.FromHours(1));
        _now += TimeSpan.FromSeconds(1);
        Assert.Contains(first, _outbox.TakeGivenUp(_now));
        _outbox.Answer(second, DeliveryVerdict.Delivered, _now, s_backoff);
        _outbox.Enqueue(Batch(1));
        Assert.Equal((7L, (short)0, 3), Identity(_outbox.TakeNext(_now)!));
    }

    [Fact]
    public void Answer_Fenced_AsksForAnotherId()
    {
        Fill(1);
        var first = _outbox.TakeNext(_now)!;
        _outbox.Answer(first, DeliveryVerdict.Fenced, _now, TimeSpan.Zero);
        Assert.Null(_outbox.TakeNext(_now));
        Assert.True(_outbox.NeedsProducerId);
        _outbox.UseProducerId(8);
        Assert.Same(first, _outbox.TakeNext(_now));
        Assert.Equal((8L, (short)0, 0), Identity(first));
    }

    [Fact]
    public void TakeGivenUp_OfABatchNeverSent_LeavesNoGap()
    {
        Fill(1, deadline: TimeSpan.FromSeconds(1));
        _now = TimeSpan.FromSeconds(1);
        Assert.Single(_outbox.TakeGivenUp(_now));
        _outbox.Enqueue(Batch(1));
        Assert.Equal((7L, (short)0, 1), Identity(_outbox.TakeNext(_now)!));
    }

    [Fact]
    public void BeginningAnEpoch_GivesUpWhatMayStillArriveLate()
    {
        Fill(3);
        var (first, second, third) = (_outbox.TakeNext(_now)!, _outbox.TakeNext(_now)!, _outbox.TakeNext(_now)!);
        _outbox.Answer(first, DeliveryVerdict.Refused, _now, TimeSpan.Zero);
        _outbox.Answer(second, DeliveryVerdict.OutOfSequence, _now, TimeSpan.Zero);
        _outbox.Answer(third, DeliveryVerdict.Retriable, _now, TimeSpan.Zero);
        Assert.Same(second, _outbox.TakeNext(_now));
        _outbox.Answer(second, DeliveryVerdict.OutOfSequence, _now, TimeSpan.Zero);
        Assert.Same(second, _outbox.TakeNext(_now));
        Assert.Equal((7L, (short)1, 0), Identity(second));
        Assert.Same(third, Assert.Single(_outbox.TakeGivenUp(_now)));
    }

    /// <summary>
    /// Against a log that keeps Kafka's rules, over a network that loses calls, loses answers and delays both: what is told delivered lies in
    /// the log once, and in order; what is told failed lies there once at the most.
    /// </summary>
    [Fact]
    public void AnyNetwork_LosesNothing_RepeatsNothing_KeepsOrder() => Gen.Int[0, int.MaxValue].Sample(
        seed => new LossyDelivery(new Random(seed)).Run(),
        iter: 2_000);

    internal static OutgoingBatch Batch(int records, TimeSpan? deadline = null)
    {
        var tally = new SendTally();
        var batch = new OutgoingBatch(CompressionCodec.None, 100) { CreatedAt = TimeSpan.Zero, Deadline = deadline ?? TimeSpan.FromHours(10) };
        for (var i = 0; i < records; i++)
            batch.Add(new PendingSend("t", new LogRecord(), 0, tally));
        return batch;
    }

    private void Fill(int batches, int records = 1, TimeSpan? deadline = null)
    {
        Introduce();
        for (var i = 0; i < batches; i++)
            _outbox.Enqueue(Batch(records, deadline));
    }

    /// <summary>A first batch of one record, so that the log knows the producer.</summary>
    private void Introduce()
    {
        _outbox.UseProducerId(7);
        _outbox.Enqueue(Batch(1));
        _outbox.Answer(_outbox.TakeNext(_now)!, DeliveryVerdict.Delivered, _now, s_backoff);
    }

    private (long Id, short Epoch, int Sequence) Identity(OutgoingBatch batch)
    {
        var stamp = _outbox.StampOf(batch);
        return (stamp.ProducerId, stamp.ProducerEpoch, stamp.BaseSequence);
    }
}

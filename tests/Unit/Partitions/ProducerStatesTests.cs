using Granary.Abstractions.Records;
using Granary.Grains.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Partitions;

public sealed class ProducerStatesTests
{
    private static readonly ProducerLimits s_wide = new(1_000, long.MaxValue);

    [Fact]
    public void Check_OfRandomHistories_AgreesWithTheNaiveModel() => Seeds.Run(150, random =>
    {
        var limits = new ProducerLimits(random.Next(2, 6), random.Next(50, 400));
        var states = new ProducerStates(limits);
        var model = new NaiveProducers(limits);
        var sent = new List<RecordBatchHeader>();
        long now = 0, offset = 0, snapshotAt = 0;
        var snapshot = Array.Empty<byte>();
        var after = new List<ReadOnlyMemory<byte>>();
        for (var step = 0; step < 400; step++)
        {
            now += random.Next(0, 10);
            var batch = Next(random, sent, model);
            model.Expire(now);
            states.Expire(now);
            var verdict = states.Check(batch);
            Assert.Equal(model.Check(batch), (verdict.Kind, verdict.Error, verdict.Kind == ProducerVerdictKind.Duplicate ? verdict.FirstCopy.BaseOffset : -1));
            if (verdict.Kind == ProducerVerdictKind.Accepted)
            {
                var stamped = batch with { BaseOffset = offset };
                offset += batch.RecordCount;
                states.Record(stamped, now);
                model.Record(stamped, now);
                sent.Add(batch);
                after.Add(Bytes(stamped));
            }

            if (random.Next(40) == 0)
                (snapshot, snapshotAt) = (ProducerSnapshot.Write(states), ClearAndCount(after, offset));
            Assert.Equal(model.Count, states.Count);
        }

        Assert.True(snapshotAt <= offset);
        CheckRebuilt(states, ProducerSnapshot.Restore(snapshot, after, s_wide with { MaxProducers = limits.MaxProducers }, now));
    });

    [Fact]
    public void Check_OfAnyOfTheLastFive_IsADuplicateWithItsOffset()
    {
        var states = new ProducerStates(s_wide);
        for (var i = 0; i < 7; i++)
            states.Record(Batch(7, 0, i * 10, 10) with { BaseOffset = 100 + (i * 10) }, 0);
        for (var i = 2; i < 7; i++)
        {
            var verdict = states.Check(Batch(7, 0, i * 10, 10));
            Assert.Equal((ProducerVerdictKind.Duplicate, 100L + (i * 10)), (verdict.Kind, verdict.FirstCopy.BaseOffset));
        }

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, states.Check(Batch(7, 0, 10, 10)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, states.Check(Batch(7, 0, 60, 9)).Error);
    }

    [Fact]
    public void Check_AcrossTheLargestSequence_GoesOnAtZero()
    {
        var states = new ProducerStates(s_wide);
        states.Record(Batch(1, 0, int.MaxValue - 4, 5), 0);
        Assert.Equal(ProducerVerdictKind.Accepted, states.Check(Batch(1, 0, 0, 3)).Kind);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, states.Check(Batch(1, 0, 1, 3)).Error);

        // A batch that itself wraps: two records up to the largest sequence, three from 0 on.
        var wrapping = new ProducerStates(s_wide);
        wrapping.Record(Batch(1, 0, int.MaxValue - 1, 5), 0);
        Assert.Equal(ProducerVerdictKind.Accepted, wrapping.Check(Batch(1, 0, 3, 1)).Kind);
        Assert.Equal(ProducerVerdictKind.Duplicate, wrapping.Check(Batch(1, 0, int.MaxValue - 1, 5)).Kind);
    }

    [Fact]
    public void Check_WithStaleEpoch_IsRefused()
    {
        var states = new ProducerStates(s_wide);
        states.Record(Batch(1, 3, 0, 1), 0);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, states.Check(Batch(1, 2, 0, 1)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, states.Check(Batch(1, 4, 1, 1)).Error);
        Assert.Equal(ProducerVerdictKind.Accepted, states.Check(Batch(1, 4, 0, 1)).Kind);
    }

    [Fact]
    public void Check_OfAnUnknownProducer_TakesAnySequence() =>
        Assert.Equal(ProducerVerdictKind.Accepted, new ProducerStates(s_wide).Check(Batch(1, 5, 77, 1)).Kind);

    [Fact]
    public void Restore_OfForeignBytes_Throws()
    {
        var states = new ProducerStates(s_wide);
        states.Record(Batch(1, 0, 0, 1), 0);
        var snapshot = ProducerSnapshot.Write(states);
        Assert.Throws<FormatException>(() => ProducerSnapshot.Restore(snapshot.AsSpan(0, snapshot.Length - 1), [], s_wide, 0));
        Assert.Throws<FormatException>(() => ProducerSnapshot.Restore([.. snapshot, 0], [], s_wide, 0));
        snapshot[0] = 2;
        Assert.Throws<FormatException>(() => ProducerSnapshot.Restore(snapshot, [], s_wide, 0));
        Assert.Throws<FormatException>(() => ProducerSnapshot.Restore([], [new byte[60]], s_wide, 0));
    }

    /// <summary>Mostly what a producer would send next, sometimes a repeat, a gap or another epoch.</summary>
    private static RecordBatchHeader Next(Random random, List<RecordBatchHeader> sent, NaiveProducers model)
    {
        if (sent.Count > 0 && random.Next(3) == 0)
            return sent[Math.Max(0, sent.Count - 1 - random.Next(20))];
        var id = random.Next(-1, 8);
        if (id < 0)
            return Batch(-1, -1, -1, random.Next(1, 5));
        var (epoch, next) = model.NextOf(id);
        epoch = (short)Math.Max(0, epoch + (random.Next(10) == 0 ? random.Next(-1, 2) : 0));
        var sequence = random.Next(8) switch
        {
            0 => 0,
            1 => RecordBatchHeader.IncrementSequence(next, random.Next(1, 4)),
            2 when random.Next(4) == 0 => int.MaxValue - random.Next(0, 6),
            _ => next,
        };
        return Batch(id, epoch, sequence, random.Next(1, 6));
    }

    private static RecordBatchHeader Batch(long producerId, short epoch, int sequence, int count) => new()
    {
        Magic = 2,
        ProducerId = producerId,
        ProducerEpoch = epoch,
        BaseSequence = sequence,
        RecordCount = count,
        LastOffsetDelta = count - 1,
        MaxTimestamp = 1_000 + sequence,
    };

    private static byte[] Bytes(in RecordBatchHeader header)
    {
        var bytes = new byte[RecordBatchHeader.SizeBytes];
        header.WriteTo(bytes);
        return bytes;
    }

    private static long ClearAndCount(List<ReadOnlyMemory<byte>> after, long offset)
    {
        after.Clear();
        return offset;
    }

    /// <summary>Rebuilt states know what the live ones know: they may know more of producers that had expired when they appended.</summary>
    private static void CheckRebuilt(ProducerStates live, ProducerStates rebuilt)
    {
        var found = rebuilt.All.ToDictionary(one => one.ProducerId);
        foreach (var one in live.All)
        {
            var same = found[one.ProducerId];
            Assert.Equal(one.Epoch, same.Epoch);
            Assert.True(same.Count >= one.Count);
            for (var i = 1; i <= one.Count; i++)
                Assert.Equal(one[one.Count - i], same[same.Count - i]);
        }
    }
}

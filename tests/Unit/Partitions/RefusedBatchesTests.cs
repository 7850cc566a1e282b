using Granary.Abstractions.Records;
using Granary.Grains.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Partitions;

public sealed class RefusedBatchesTests
{
    private const long Patience = 1_000;

    private static readonly ProducerStates s_unknown = new(new ProducerLimits(10, long.MaxValue));

    [Fact]
    public void Precede_OfALaterBatchOfAnUnknownProducer_UntilTheTimeIsOver()
    {
        var refused = new RefusedBatches(10, Patience);
        refused.Note(Batch(1, sequence: 5), 100);
        Assert.True(refused.Precede(Batch(1, sequence: 7), s_unknown, 100));
        Assert.False(refused.Precede(Batch(1, sequence: 5), s_unknown, 100));
        Assert.False(refused.Precede(Batch(1, sequence: 3), s_unknown, 100));
        Assert.False(refused.Precede(Batch(2, sequence: 7), s_unknown, 100));
        Assert.True(refused.Precede(Batch(1, sequence: 7), s_unknown, 99 + Patience));
        Assert.False(refused.Precede(Batch(1, sequence: 7), s_unknown, 100 + Patience));
        Assert.False(refused.Precede(Batch(1, sequence: 7), s_unknown, 99));
    }

    [Fact]
    public void Precede_OfAProducerThatTheLogKnows_IsTheLogsToTell()
    {
        var refused = new RefusedBatches(10, Patience);
        var known = new ProducerStates(new ProducerLimits(10, long.MaxValue));
        known.Record(Batch(1, sequence: 0), 0);
        refused.Note(Batch(1, sequence: 1), 0);
        Assert.False(refused.Precede(Batch(1, sequence: 2), known, 0));
    }

    [Fact]
    public void Note_OfALaterBatch_ChangesNothing_AndOfTheSameOrAnEarlierOne_BeginsAnew()
    {
        var refused = new RefusedBatches(10, Patience);
        refused.Note(Batch(1, sequence: 5), 0);
        refused.Note(Batch(1, sequence: 8), 900);
        Assert.True(refused.Precede(Batch(1, sequence: 8), s_unknown, 999));
        Assert.False(refused.Precede(Batch(1, sequence: 8), s_unknown, Patience));
        refused.Note(Batch(1, sequence: 5), 900);
        Assert.True(refused.Precede(Batch(1, sequence: 8), s_unknown, Patience));
        refused.Note(Batch(1, sequence: 3), 901);
        Assert.True(refused.Precede(Batch(1, sequence: 5), s_unknown, 902));

        // Across the largest sequence.
        refused.Note(Batch(2, sequence: int.MaxValue), 0);
        Assert.True(refused.Precede(Batch(2, sequence: 0), s_unknown, 0));
    }

    [Fact]
    public void Note_OfAHigherEpoch_EndsTheWaitOfTheOneBefore()
    {
        var refused = new RefusedBatches(10, Patience);
        refused.Note(Batch(1, sequence: 5), 0);
        Assert.False(refused.Precede(Batch(1, sequence: 9, epoch: 1), s_unknown, 0));
        refused.Note(Batch(1, sequence: 0, epoch: 1), 0);
        Assert.True(refused.Precede(Batch(1, sequence: 1, epoch: 1), s_unknown, 0));
        refused.Note(Batch(1, sequence: 5), 0);
        Assert.True(refused.Precede(Batch(1, sequence: 1, epoch: 1), s_unknown, 0));
        Assert.False(refused.Precede(Batch(1, sequence: 9), s_unknown, 0));
    }

    [Fact]
    public void Note_OfMoreThanTheMaximum_ForgetsTheOneRefusedLongestAgo()
    {
        var refused = new RefusedBatches(2, Patience);
        foreach (var producer in new[] { 1, 2, 1, 3 })
            refused.Note(Batch(producer, sequence: 0), 0);
        Assert.Equal([true, false, true], new[] { 1, 2, 3 }.Select(producer => refused.Precede(Batch(producer, sequence: 1), s_unknown, 0)));
        refused.Forget(1);
        Assert.False(refused.Precede(Batch(1, sequence: 1), s_unknown, 0));
        refused.Note(Batch(-1, sequence: -1), Patience);
        refused.Note(Batch(4, sequence: 0), Patience);
        Assert.Equal(1, refused.Count);
    }

    /// <summary>
    /// A new producer with five batches in flight on one connection, which sends again in the order of sequences whatever is refused for a moment: all that it
    /// sends is taken in order, however often and where the log refuses.
    /// </summary>
    [Fact]
    public void Refusals_OfAPipeliningProducer_NeverChangeItsOrder() => Seeds.Run(300, random =>
    {
        const int batches = 12;
        var log = new ProducerStates(new ProducerLimits(10, long.MaxValue));
        var refused = new RefusedBatches(10, Patience);
        var toSend = new SortedSet<int>(Enumerable.Range(0, batches));
        var inFlight = new Queue<int>();
        var taken = new List<int>();
        for (var now = 0; taken.Count < batches; now++)
        {
            Assert.True(now < 10_000, "it never ends");
            if (inFlight.Count < 5 && toSend.Count > 0 && (inFlight.Count == 0 || random.Next(2) == 0))
            {
                inFlight.Enqueue(toSend.Min);
                toSend.Remove(toSend.Min);
                continue;
            }

            var sequence = inFlight.Dequeue();
            var batch = Batch(7, sequence);
            var verdict = log.Check(batch);
            if (verdict.Kind == ProducerVerdictKind.Accepted && !refused.Precede(batch, log, now))
            {
                if (random.Next(3) > 0)
                {
                    log.Record(batch, now);
                    refused.Forget(7);
                    taken.Add(sequence);
                    continue;
                }

                refused.Note(batch, now);
            }

            // A gap after a known one: the gateway has it sent again.
            Assert.True(verdict.Error is ErrorCode.None or ErrorCode.OutOfOrderSequenceNumber);
            toSend.Add(sequence);
        }

        Assert.Equal(Enumerable.Range(0, batches), taken);
    });

    private static RecordBatchHeader Batch(long producerId, int sequence, short epoch = 0) => new()
    {
        Magic = 2,
        ProducerId = producerId,
        ProducerEpoch = epoch,
        BaseSequence = sequence,
        RecordCount = 1,
        LastOffsetDelta = 0,
        MaxTimestamp = 1_000,
    };
}

using Granary.Abstractions.Clients;
using Granary.Abstractions.Records;
using Xunit;

namespace Granary.Unit.Clients;

/// <summary>An outbox, a network that loses and delays, and a log that checks sequences as Kafka's does; all in steps from one seed.</summary>
internal sealed class LossyDelivery(Random random)
{
    private const int BatchCount = 40;

    private readonly PartitionOutbox _outbox = new(maxInFlight: 5);
    private readonly SequencedLog _log = new();
    private readonly List<(OutgoingBatch Batch, ProducerStamp Stamp)> _calls = [];
    private readonly List<(OutgoingBatch Batch, ProducerStamp Stamp)> _late = [];
    private readonly List<(OutgoingBatch Batch, DeliveryVerdict Verdict)> _answers = [];
    private readonly List<OutgoingBatch> _sent = [];
    private readonly HashSet<OutgoingBatch> _delivered = [];
    private readonly HashSet<OutgoingBatch> _givenUp = [];
    private readonly HashSet<OutgoingBatch> _refused = [];
    private TimeSpan _now;
    private long _producerId = 100;

    public void Run()
    {
        for (var i = 0; i < BatchCount; i++)
            _sent.Add(PartitionOutboxTests.Batch(random.Next(1, 4), random.Next(10) == 0 ? TimeSpan.FromMilliseconds(random.Next(50)) : TimeSpan.FromHours(1)));
        var queued = 0;
        for (var step = 0; step < 200_000 && !(queued == BatchCount && _outbox.IsEmpty); step++)
        {
            // The network heals in the end, so that everything comes to its answer.
            var lossy = step < 2_000;
            if (queued < BatchCount && random.Next(3) == 0)
                _outbox.Enqueue(_sent[queued++]);
            if (_outbox.NeedsProducerId)
                _outbox.UseProducerId(_producerId++);
            foreach (var expired in _outbox.TakeGivenUp(_now))
                Assert.True(_givenUp.Add(expired));
            if (_outbox.TakeNext(_now) is { } next)
                _calls.Add((next, _outbox.StampOf(next)));
            if (_calls.Count > 0 && random.Next(2) == 0)
                Arrive(lossy);
            if (_answers.Count > 0 && random.Next(2) == 0)
                Answer();
            _now += TimeSpan.FromMilliseconds(random.Next(3));
        }

        Assert.True(_outbox.IsEmpty, "the outbox came to a standstill");
        Check();
    }

    private void Arrive(bool lossy)
    {
        // Orleans keeps no order between calls, so any may arrive next.
        var index = lossy ? random.Next(_calls.Count) : 0;
        var (batch, stamp) = _calls[index];
        var fate = lossy ? random.Next(10) : 9;
        _calls.RemoveAt(index);
        if (fate == 0)
        {
            // The caller gives up waiting, but the call still arrives some time: a second answer that nobody hears.
            _answers.Add((batch, DeliveryVerdict.Retriable));
            _late.Add((batch, stamp));
            return;
        }

        var verdict = fate switch
        {
            1 => DeliveryVerdict.Retriable,
            2 when random.Next(5) == 0 => random.Next(2) == 0 ? DeliveryVerdict.Refused : DeliveryVerdict.Fenced,
            _ => _log.Append(batch, stamp),
        };
        _answers.Add((batch, fate == 3 ? DeliveryVerdict.Retriable : verdict));
        if (_late.Count > 0 && random.Next(2) == 0)
        {
            var (lateBatch, lateStamp) = _late[0];
            _late.RemoveAt(0);
            _log.Append(lateBatch, lateStamp);
        }
    }

    private void Answer()
    {
        var index = random.Next(_answers.Count);
        var (batch, verdict) = _answers[index];
        _answers.RemoveAt(index);
        var outcome = _outbox.Answer(batch, verdict, _now, TimeSpan.FromMilliseconds(random.Next(5)));
        if (outcome == DeliveryVerdict.Delivered)
            Assert.True(_delivered.Add(batch));
        else if (outcome == DeliveryVerdict.Refused)
            Assert.True(_refused.Add(batch));
    }

    private void Check()
    {
        var placed = _log.Batches.Select((batch, at) => (batch, at)).ToLookup(pair => pair.batch, pair => pair.at);
        foreach (var batch in _sent)
            Assert.True(placed[batch].Count() <= 1, "a batch lies in the log twice");
        Assert.Equal(_sent.Count, _delivered.Count + _givenUp.Count + _refused.Count);
        Assert.All(_delivered, batch => Assert.Single(placed[batch]));
        var order = _sent.Where(_delivered.Contains).Select(batch => placed[batch].First()).ToArray();
        Assert.Equal(order.Order(), order);
    }
}

/// <summary>
/// What a partition knows of producers: their epochs, their next sequences, and their last five batches. As Kafka's, it takes any sequence
/// of a producer that it does not know.
/// </summary>
internal sealed class SequencedLog
{
    private readonly Dictionary<long, Producer> _producers = [];

    public List<OutgoingBatch> Batches { get; } = [];

    public DeliveryVerdict Append(OutgoingBatch batch, ProducerStamp stamp)
    {
        if (!_producers.TryGetValue(stamp.ProducerId, out var producer))
            producer = new Producer(stamp.ProducerEpoch, stamp.BaseSequence, []);
        if (stamp.ProducerEpoch < producer.Epoch)
            return DeliveryVerdict.Fenced;
        if (stamp.ProducerEpoch > producer.Epoch)
            producer = new Producer(stamp.ProducerEpoch, 0, []);
        if (producer.LastFive.Contains((stamp.BaseSequence, batch)))
            return DeliveryVerdict.Delivered;
        if (stamp.BaseSequence != producer.Expected)
            return DeliveryVerdict.OutOfSequence;
        Batches.Add(batch);
        _producers[stamp.ProducerId] = producer with
        {
            Expected = producer.Expected + batch.RecordCount,
            LastFive = [.. producer.LastFive.TakeLast(4), (stamp.BaseSequence, batch)],
        };
        return DeliveryVerdict.Delivered;
    }

    private sealed record Producer(short Epoch, int Expected, (int BaseSequence, OutgoingBatch Batch)[] LastFive);
}

using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>
/// The order and the sequences of one partition's batches: which may be sent next, and what an answer means. Pure; not safe for threads.
/// <para>Of a batch: Queued -> InFlight -> (delivered | refused | Retrying -> InFlight | Retrying -> given up); Queued -> given up.</para>
/// <para>
/// A log takes this producer's batches only in sequence, so order holds whatever is retried: up to MaxInFlight are under way; once one must
/// be retried nothing new is sent, and retries go one at a time, oldest first, as Kafka's sender does.
/// </para>
/// <para>
/// A log remembers a producer's newest five batches only, and calls are answered in any order: so no more than MaxInFlight are sent from the
/// oldest that has no answer yet, delivered ones among them. Further behind, a copy of that one would be too old for the log to know it.
/// </para>
/// <para>
/// A batch that was refused, or expired with its fate unknown, leaves a gap. Whatever is under way behind it is retried under its
/// sequence first: delivered proves the gap closed. Told out of sequence although it was sent as the oldest proves that the log has
/// not got it: then a new epoch begins (KIP-360), in which the batches left get sequences from 0. Since each log keeps producers' epochs on
/// its own, this partition's epoch may run ahead of the producer's other partitions.
/// </para>
/// <para>
/// A log that does not know a producer takes whatever sequence comes first, and calls may overtake one another: so the first batch of an
/// epoch, and the first after a long silence, goes alone.
/// </para>
/// <para>
/// A batch of which some call was never answered cannot go on into a new epoch: that call may arrive late, before the epoch does, and
/// the log could not tell the two apart. It is given up, as is one that is past its deadline.
/// </para>
/// </summary>
internal sealed class PartitionOutbox(int maxInFlight)
{
    /// <summary>Far below the day after which logs forget a silent producer (producer.id.expiration.ms).</summary>
    private static readonly TimeSpan s_knownFor = TimeSpan.FromMinutes(10);

    private readonly Queue<OutgoingBatch> _queued = new();
    private readonly List<OutgoingBatch> _unanswered = [];
    private readonly List<OutgoingBatch> _lost = [];
    private long? _producerId;
    private short _epoch;
    private int _nextSequence;
    private long _nextOrdinal;
    private long? _gapOrdinal;
    private TimeSpan? _lastDelivered;
    private bool _mustBeginEpoch;
    private bool _mustChangeId;

    /// <summary>True: nothing can be sent before <see cref="UseProducerId"/>.</summary>
    public bool NeedsProducerId => _producerId is null;

    public bool IsEmpty => _queued.Count == 0 && _unanswered.Count == 0 && _lost.Count == 0;

    /// <summary>True where a new batch would be sent at once, or nearly: until then it may as well grow.</summary>
    public bool WantsMore => _queued.Count == 0 && SentFromOldest < (_lastDelivered is null ? 1 : maxInFlight);

    public void Enqueue(OutgoingBatch batch)
    {
        batch.Ordinal = _nextOrdinal++;
        _queued.Enqueue(batch);
    }

    /// <summary>Begins with that id at epoch 0 and sequence 0.</summary>
    public void UseProducerId(long producerId)
    {
        _producerId = producerId;
        _epoch = 0;
        Resequence();
    }

    /// <summary>The batch to send now, marked as under way; null where none may be.</summary>
    public OutgoingBatch? TakeNext(TimeSpan now)
    {
        if (_mustBeginEpoch || (_gapOrdinal is not null && _unanswered.Count == 0))
        {
            // Calls that are still under way carry the old epoch: they must be answered before their batches get new sequences.
            if (_unanswered.Exists(batch => batch.State == OutgoingBatch.Stage.InFlight))
                return null;
            BeginEpoch();
        }

        if (NeedsProducerId)
            return null;
        if (_unanswered.Exists(batch => batch.State == OutgoingBatch.Stage.Retrying))
            return _unanswered[0] is { State: OutgoingBatch.Stage.Retrying } first && first.RetryAt <= now ? Send(first) : null;
        var isKnown = _lastDelivered is { } last && now - last < s_knownFor;
        if (SentFromOldest >= (isKnown ? maxInFlight : 1) || !_queued.TryDequeue(out var next))
            return null;
        next.BaseSequence = _nextSequence;
        _nextSequence = RecordBatchHeader.IncrementSequence(_nextSequence, next.RecordCount);
        _unanswered.Add(next);
        return Send(next);
    }

    /// <summary>What to stamp into a batch that <see cref="TakeNext"/> gave.</summary>
    public ProducerStamp StampOf(OutgoingBatch batch) => new()
    {
        ProducerId = _producerId ?? throw new InvalidOperationException("a batch was taken without a producer id"),
        ProducerEpoch = _epoch,
        BaseSequence = batch.BaseSequence,
    };

    /// <summary>
    /// Takes the answer to a batch under way. Returns <see cref="DeliveryVerdict.Delivered"/> or <see cref="DeliveryVerdict.Refused"/> where
    /// the batch is done with, else <see cref="DeliveryVerdict.Retriable"/>: it stays, to be sent again after <paramref name="backoff"/>.
    /// </summary>
    public DeliveryVerdict Answer(OutgoingBatch batch, DeliveryVerdict verdict, TimeSpan now, TimeSpan backoff)
    {
        if (batch.State != OutgoingBatch.Stage.InFlight)
            throw new InvalidOperationException($"an answer came for a batch that is {batch.State}");
        if (verdict == DeliveryVerdict.Delivered)
        {
            // Taken in sequence, so everything before it was taken too.
            if (_gapOrdinal < batch.Ordinal)
                _gapOrdinal = null;
            _lastDelivered = now;
            _unanswered.Remove(batch);
            foreach (var waiting in _unanswered)
            {
                if (waiting.Ordinal < batch.Ordinal)
                    waiting.DeliveredAfter++;
            }

            return DeliveryVerdict.Delivered;
        }

        if (verdict == DeliveryVerdict.Refused)
        {
            LeaveGap(batch);
            return DeliveryVerdict.Refused;
        }

        if (verdict == DeliveryVerdict.OutOfSequence && batch.WasSentFirst)
            _mustBeginEpoch = true;
        if (verdict == DeliveryVerdict.Fenced)
            _mustBeginEpoch = _mustChangeId = true;
        batch.IsFateUnknown |= verdict == DeliveryVerdict.Retriable;
        batch.State = OutgoingBatch.Stage.Retrying;

        // Overtaken by a later batch: the log is well, and it goes again as soon as it is the oldest.
        var wasOvertaken = verdict == DeliveryVerdict.OutOfSequence && !batch.WasSentFirst;
        batch.RetryAt = wasOvertaken ? now : now + backoff;
        return DeliveryVerdict.Retriable;
    }

    /// <summary>
    /// Takes out the batches that are given up: those past their deadline that are not under way, and those that could not go on into the
    /// epoch that <see cref="TakeNext"/> began.
    /// </summary>
    public IReadOnlyList<OutgoingBatch> TakeGivenUp(TimeSpan now)
    {
        List<OutgoingBatch>? givenUp = null;
        if (_lost.Count > 0)
        {
            givenUp = [.. _lost];
            _lost.Clear();
        }

        for (var i = 0; i < _unanswered.Count;)
        {
            var batch = _unanswered[i];
            if (batch.State != OutgoingBatch.Stage.Retrying || batch.Deadline > now)
            {
                i++;
                continue;
            }

            LeaveGap(batch);
            (givenUp ??= []).Add(batch);
        }

        // Never sent, so these leave no gap.
        while (_queued.TryPeek(out var oldest) && oldest.Deadline <= now)
            (givenUp ??= []).Add(_queued.Dequeue());
        return givenUp ?? [];
    }

    /// <summary>When <see cref="TakeNext"/> or <see cref="TakeGivenUp"/> may next give something without any event; null: not at all.</summary>
    public TimeSpan? WakeAfter(TimeSpan now)
    {
        TimeSpan? wakeAt = _queued.TryPeek(out var oldest) ? oldest.Deadline : null;
        foreach (var batch in _unanswered)
        {
            if (batch.State != OutgoingBatch.Stage.Retrying)
                continue;

            // A retry that is due already waits for an answer or an id, and that will wake by itself.
            var isTimed = batch == _unanswered[0] && batch.RetryAt > now && batch.RetryAt < batch.Deadline;
            var due = isTimed ? batch.RetryAt : batch.Deadline;
            wakeAt = wakeAt < due ? wakeAt : due;
        }

        return wakeAt;
    }

    /// <summary>The batches that were sent from the oldest one that waits for its answer on, that one included.</summary>
    private int SentFromOldest => _unanswered.Count == 0 ? 0 : _unanswered.Count + _unanswered[0].DeliveredAfter;

    private OutgoingBatch Send(OutgoingBatch batch)
    {
        batch.State = OutgoingBatch.Stage.InFlight;
        batch.Attempts++;
        batch.WasSentFirst = batch == _unanswered[0];
        return batch;
    }

    private void LeaveGap(OutgoingBatch batch)
    {
        _unanswered.Remove(batch);
        _gapOrdinal = Math.Max(_gapOrdinal ?? batch.Ordinal, batch.Ordinal);
    }

    private void BeginEpoch()
    {
        if (_mustChangeId || _epoch == short.MaxValue)
            _producerId = null;
        else
            _epoch++;
        _mustBeginEpoch = _mustChangeId = false;
        _lost.AddRange(_unanswered.Where(batch => batch.IsFateUnknown));
        _unanswered.RemoveAll(batch => batch.IsFateUnknown);
        Resequence();
    }

    private void Resequence()
    {
        _gapOrdinal = null;
        _lastDelivered = null;
        _nextSequence = 0;
        foreach (var batch in _unanswered)
        {
            batch.DeliveredAfter = 0;
            batch.BaseSequence = _nextSequence;
            _nextSequence = RecordBatchHeader.IncrementSequence(_nextSequence, batch.RecordCount);
        }
    }
}

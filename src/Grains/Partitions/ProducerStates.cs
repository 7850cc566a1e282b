using Granary.Abstractions.Records;

namespace Granary.Grains.Partitions;

/// <summary>What the log makes of a batch.</summary>
internal enum ProducerVerdictKind : byte
{
    /// <summary>It is next in line, or comes from nobody in particular.</summary>
    Accepted,

    /// <summary>It is one of the last five of its producer: answer with the first copy's offset.</summary>
    Duplicate,

    Refused,
}

/// <param name="FirstCopy">The batch that is there; meaningful for a duplicate only.</param>
internal readonly record struct ProducerVerdict(ProducerVerdictKind Kind, ErrorCode Error, string? Message, ProducerBatch FirstCopy)
{
    public static ProducerVerdict Accepted => default;

    public static ProducerVerdict DuplicateOf(in ProducerBatch firstCopy) => new(ProducerVerdictKind.Duplicate, ErrorCode.None, null, firstCopy);

    public static ProducerVerdict Refused(ErrorCode error, string message) => new(ProducerVerdictKind.Refused, error, message, default);
}

/// <summary>
/// Tells duplicates and gaps of idempotent producers (KIP-98, KIP-360), as Kafka's ProducerStateManager does. <see cref="Check"/> only looks,
/// <see cref="Record"/> remembers. Per producer: unknown -> (any sequence) known at epoch e -> the next sequence in line, at e; or a
/// higher epoch, from sequence 0 on; a lower epoch is fenced. Idle producers expire; above the maximum the one idle for longest goes: a producer that
/// was forgotten may go on at any sequence. Times are the log's own clock.
/// </summary>
internal sealed class ProducerStates(ProducerLimits limits)
{
    private Dictionary<long, ProducerState>? _producers;
    private ProducerState? _oldest;
    private ProducerState? _newest;

    public int Count => _producers?.Count ?? 0;

    /// <summary>From the one idle for longest on.</summary>
    public IEnumerable<ProducerState> All
    {
        get
        {
            for (var producer = _oldest; producer is not null; producer = producer.Newer)
                yield return producer;
        }
    }

    public bool Knows(long producerId) => _producers?.ContainsKey(producerId) == true;

    /// <summary>What to make of a batch; changes nothing.</summary>
    public ProducerVerdict Check(in RecordBatchHeader batch)
    {
        if (!batch.HasProducerId || _producers is null || !_producers.TryGetValue(batch.ProducerId, out var known))
            return ProducerVerdict.Accepted;
        if (batch.ProducerEpoch < known.Epoch)
        {
            return ProducerVerdict.Refused(
                ErrorCode.InvalidProducerEpoch,
                $"epoch {batch.ProducerEpoch} of producer {batch.ProducerId} is over: it is at {known.Epoch}");
        }

        if (batch.ProducerEpoch > known.Epoch)
        {
            return batch.BaseSequence == 0
                ? ProducerVerdict.Accepted
                : ProducerVerdict.Refused(
                    ErrorCode.OutOfOrderSequenceNumber,
                    $"producer {batch.ProducerId} begins epoch {batch.ProducerEpoch} with sequence {batch.BaseSequence} instead of 0");
        }

        if (known.TryFind(batch.BaseSequence, batch.LastSequence, out var firstCopy))
            return ProducerVerdict.DuplicateOf(firstCopy);
        var expected = RecordBatchHeader.IncrementSequence(known.Last.LastSequence, 1);
        return batch.BaseSequence == expected
            ? ProducerVerdict.Accepted
            : ProducerVerdict.Refused(
                ErrorCode.OutOfOrderSequenceNumber,
                $"sequence {batch.BaseSequence} of producer {batch.ProducerId} at epoch {batch.ProducerEpoch}, where {expected} is next");
    }

    /// <summary>Remembers a batch that was accepted, with its base offset stamped. <paramref name="now"/>: ms since 1970.</summary>
    public void Record(in RecordBatchHeader batch, long now)
    {
        if (!batch.HasProducerId || batch.IsControl)
            return;
        Expire(now);
        var remembered = new ProducerBatch
        {
            FirstSequence = batch.BaseSequence,
            LastSequence = batch.LastSequence,
            BaseOffset = batch.BaseOffset,
            Timestamp = batch.MaxTimestamp,
        };
        _producers ??= [];
        if (_producers.TryGetValue(batch.ProducerId, out var producer))
            Unlink(producer);
        else
            _producers.Add(batch.ProducerId, producer = new ProducerState(batch.ProducerId, batch.ProducerEpoch));
        producer.Add(batch.ProducerEpoch, remembered);
        Link(producer, now);
        if (_producers.Count > limits.MaxProducers)
            Forget(_oldest!);
    }

    /// <summary>Forgets producers that were idle for as long as the limits say.</summary>
    public void Expire(long now)
    {
        while (_oldest is { } oldest && now - oldest.LastSeen >= limits.IdleMs)
            Forget(oldest);
        if (_producers is { Count: 0 })
            _producers = null;
    }

    /// <summary>Takes over a producer as a snapshot has it; call from the one idle for longest on.</summary>
    internal void Restore(ProducerState producer)
    {
        _producers ??= [];
        _producers.Add(producer.ProducerId, producer);
        Link(producer, producer.LastSeen);
        if (_producers.Count > limits.MaxProducers)
            Forget(_oldest!);
    }

    private void Forget(ProducerState producer)
    {
        Unlink(producer);
        _producers!.Remove(producer.ProducerId);
    }

    private void Link(ProducerState producer, long now)
    {
        // The list stays sorted although a clock may be set back.
        producer.LastSeen = Math.Max(now, _newest?.LastSeen ?? now);
        (producer.Older, producer.Newer) = (_newest, null);
        if (_newest is null)
            _oldest = producer;
        else
            _newest.Newer = producer;
        _newest = producer;
    }

    private void Unlink(ProducerState producer)
    {
        if (producer.Older is null)
            _oldest = producer.Newer;
        else
            producer.Older.Newer = producer.Newer;
        if (producer.Newer is null)
            _newest = producer.Older;
        else
            producer.Newer.Older = producer.Older;
        (producer.Older, producer.Newer) = (null, null);
    }
}

/// <param name="MaxProducers">How many are remembered at once.</param>
/// <param name="IdleMs">After how long without a batch a producer is forgotten.</param>
internal sealed record ProducerLimits(int MaxProducers, long IdleMs);

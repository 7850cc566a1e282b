using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Gathers one partition's records into batches: one that grows, which is ripe when it is full, when it has lingered, or when somebody
/// flushes. Pure; not safe for several threads.
/// </summary>
internal sealed class BatchAccumulator(LogProducerOptions options)
{
    private OutgoingBatch? _growing;
    private bool _isRipe;

    public bool IsEmpty => _growing is null;

    /// <summary>When the growing batch is ripe by time; null: there is none.</summary>
    public TimeSpan? RipeAt => _growing is null ? null : _isRipe ? _growing.CreatedAt : _growing.CreatedAt + options.Linger;

    /// <summary>When the growing batch must leave even if nothing can be sent, for its sender to hear of it; null: there is none.</summary>
    public TimeSpan? Deadline => _growing?.Deadline;

    /// <summary>
    /// Adds a record. Returns the batch before it where the record no longer fits into that.
    /// <paramref name="maxBatchBytes"/>: the topic's max.message.bytes.
    /// </summary>
    public OutgoingBatch? Add(PendingSend send, int maxBatchBytes, TimeSpan now)
    {
        var limit = Math.Min(options.BatchSizeBytes, maxBatchBytes);
        OutgoingBatch? full = null;
        if (_growing is not null && _growing.UncompressedBytes + send.ReservedBytes > limit)
            full = Take();
        _growing ??= new OutgoingBatch(options.Compression, Math.Min(limit, RecordBatchHeader.SizeBytes + send.ReservedBytes))
        {
            CreatedAt = now,
            Deadline = now + options.DeliveryTimeout,
        };
        _growing.Add(send);
        _isRipe |= _growing.UncompressedBytes >= limit;
        return full;
    }

    /// <summary>The growing batch where it is ripe, or where <paramref name="now"/> is past its deadline; it grows no more.</summary>
    public OutgoingBatch? TakeRipe(TimeSpan now) => RipeAt <= now || Deadline <= now ? Take() : null;

    /// <summary>Makes what has been gathered so far ripe at once.</summary>
    public void Flush() => _isRipe = _growing is not null;

    private OutgoingBatch? Take()
    {
        var batch = _growing;
        _growing = null;
        _isRipe = false;
        return batch;
    }
}

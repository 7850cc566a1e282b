using System.Runtime.CompilerServices;

namespace Granary.Grains.Partitions;

/// <summary>One batch that a producer appended; enough to know it again. Sequences and the timestamp as the batch carried them.</summary>
internal readonly record struct ProducerBatch
{
    public required int FirstSequence { get; init; }

    /// <summary>Inclusive.</summary>
    public required int LastSequence { get; init; }

    public required long BaseOffset { get; init; }

    /// <summary>The batch's max timestamp, ms since 1970.</summary>
    public required long Timestamp { get; init; }
}

/// <summary>One producer's epoch and its last batches, newest last. Lives in the recency list of <see cref="ProducerStates"/>.</summary>
internal sealed class ProducerState(long producerId, short epoch)
{
    /// <summary>Kafka's clients have at most this many requests in flight when they are idempotent.</summary>
    public const int MaxBatches = 5;

    private Batches _batches;

    public long ProducerId { get; } = producerId;

    public short Epoch { get; private set; } = epoch;

    /// <summary>1 to <see cref="MaxBatches"/>, once anything was added.</summary>
    public int Count { get; private set; }

    /// <summary>When the log last took a batch of this producer, by the log's clock, ms since 1970.</summary>
    public long LastSeen { get; set; }

    public ProducerState? Older { get; set; }

    public ProducerState? Newer { get; set; }

    public ProducerBatch this[int index] =>
        index < Count ? _batches[index] : throw new ArgumentOutOfRangeException(nameof(index), index, $"{Count} batches are known");

    public ProducerBatch Last => this[Count - 1];

    /// <summary>The remembered batch with exactly these sequences.</summary>
    public bool TryFind(int firstSequence, int lastSequence, out ProducerBatch batch)
    {
        for (var i = 0; i < Count; i++)
        {
            batch = _batches[i];
            if (batch.FirstSequence == firstSequence && batch.LastSequence == lastSequence)
                return true;
        }

        batch = default;
        return false;
    }

    /// <summary>Remembers a batch, and forgets the oldest of six. A new epoch forgets all batches of the one before.</summary>
    public void Add(short epoch, in ProducerBatch batch)
    {
        if (epoch != Epoch)
            (Epoch, Count) = (epoch, 0);
        if (Count == MaxBatches)
        {
            Span<ProducerBatch> all = _batches;
            all[1..].CopyTo(all);
            Count--;
        }

        _batches[Count++] = batch;
    }

    [InlineArray(MaxBatches)]
    private struct Batches
    {
        private ProducerBatch _first;
    }
}

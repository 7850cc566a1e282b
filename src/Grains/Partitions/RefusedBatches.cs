using Granary.Abstractions.Records;

namespace Granary.Grains.Partitions;

/// <summary>
/// Producers of which a batch was refused for a moment, each with the lowest sequence of such batches. A log takes any sequence of a producer that it does
/// not know. So what such a producer had sent behind the refused batch would be taken, and the batch itself be out of order for good: librdkafka, which has later
/// ones acknowledged by then, takes that for written, and the record is lost. The producer has to begin with the one that was refused, or one before.
/// Per producer: none -> awaited (at an epoch and a sequence) -> none, when a batch of it was taken or its time is over; another refusal of the same batch or an earlier one, or of a higher epoch, begins the time anew. Batches of other epochs wait for nothing.
/// </summary>
/// <param name="maxProducers">Above it the one refused longest ago is forgotten.</param>
/// <param name="patienceMs">How long a refused batch is waited for. Times are the caller's; where they go back, nothing is waited for.</param>
internal sealed class RefusedBatches(int maxProducers, long patienceMs)
{
    private Dictionary<long, LinkedListNode<Awaited>>? _byProducer;
    private LinkedList<Awaited>? _byAge;

    public int Count => _byProducer?.Count ?? 0;

    /// <summary>A batch was refused, and will come again. <paramref name="now"/>: ms since 1970.</summary>
    public void Note(in RecordBatchHeader batch, long now)
    {
        if (!batch.HasProducerId)
            return;
        (_byProducer, _byAge) = (_byProducer ?? [], _byAge ?? new());
        while (_byAge.First is { } oldest && IsOver(oldest.Value, now))
            Forget(oldest.Value.ProducerId);
        if (_byProducer.TryGetValue(batch.ProducerId, out var known))
        {
            var awaited = known.Value;
            if (batch.ProducerEpoch < awaited.Epoch || (batch.ProducerEpoch == awaited.Epoch && IsAfter(batch.BaseSequence, awaited.Sequence)))
                return;
            Forget(batch.ProducerId);
        }

        _byProducer.Add(batch.ProducerId, _byAge.AddLast(new Awaited(batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence, now)));
        if (Count > maxProducers)
            Forget(_byAge.First!.Value.ProducerId);
    }

    /// <summary>Whether a batch that was refused is to come before this one.</summary>
    /// <param name="known">The producers that the log knows, and so tells their order itself.</param>
    public bool Precede(in RecordBatchHeader batch, ProducerStates known, long now) =>
        _byProducer is not null && _byProducer.TryGetValue(batch.ProducerId, out var node) && node.Value is var awaited
        && !known.Knows(batch.ProducerId) && !IsOver(awaited, now)
        && batch.ProducerEpoch == awaited.Epoch && IsAfter(batch.BaseSequence, awaited.Sequence);

    /// <summary>The log knows the producer from now on.</summary>
    public void Forget(long producerId)
    {
        if (_byProducer is not null && _byProducer.Remove(producerId, out var known))
            _byAge!.Remove(known);
    }

    private bool IsOver(in Awaited awaited, long now) => now < awaited.Since || now - awaited.Since >= patienceMs;

    /// <summary>Sequences go round: the half of them that comes next is after.</summary>
    private static bool IsAfter(int sequence, int other) => sequence != other && (((long)sequence - other) & int.MaxValue) < 1 << 30;

    private readonly record struct Awaited(long ProducerId, short Epoch, int Sequence, long Since);
}

using Granary.Abstractions.Records;
using Granary.Grains.Partitions;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Partitions;

/// <summary>What <see cref="ProducerStates"/> ought to say, written without any thought of speed: a list of all batches that count.</summary>
internal sealed class NaiveProducers(ProducerLimits limits)
{
    private readonly List<(RecordBatchHeader Batch, long Seen)> _batches = [];

    public int Count => _batches.Select(one => one.Batch.ProducerId).Distinct().Count();

    public (short Epoch, int NextSequence) NextOf(long producerId)
    {
        var mine = Of(producerId);
        return mine.Count == 0 ? ((short)0, 0) : (mine[^1].ProducerEpoch, RecordBatchHeader.IncrementSequence(mine[^1].LastSequence, 1));
    }

    public (ProducerVerdictKind Kind, ErrorCode Error, long BaseOffset) Check(RecordBatchHeader batch)
    {
        var mine = Of(batch.ProducerId);
        if (batch.ProducerId < 0 || mine.Count == 0)
            return (ProducerVerdictKind.Accepted, ErrorCode.None, -1);
        var epoch = mine[^1].ProducerEpoch;
        if (batch.ProducerEpoch < epoch)
            return (ProducerVerdictKind.Refused, ErrorCode.InvalidProducerEpoch, -1);
        var lastFive = mine.Where(one => one.ProducerEpoch == epoch).TakeLast(5).ToList();
        var copies = lastFive.Where(one => one.ProducerEpoch == batch.ProducerEpoch && one.BaseSequence == batch.BaseSequence && one.LastSequence == batch.LastSequence).ToList();
        if (copies.Count > 0)
            return (ProducerVerdictKind.Duplicate, ErrorCode.None, copies[0].BaseOffset);
        var expected = batch.ProducerEpoch > epoch ? 0 : mine[^1].LastSequence == int.MaxValue ? 0 : mine[^1].LastSequence + 1;
        return batch.BaseSequence == expected
            ? (ProducerVerdictKind.Accepted, ErrorCode.None, -1)
            : (ProducerVerdictKind.Refused, ErrorCode.OutOfOrderSequenceNumber, -1);
    }

    public void Record(RecordBatchHeader batch, long now)
    {
        if (batch.ProducerId < 0)
            return;
        _batches.Add((batch, now));
        if (Count <= limits.MaxProducers)
            return;
        var idlest = _batches.GroupBy(one => one.Batch.ProducerId).MinBy(group => _batches.FindLastIndex(one => one.Batch.ProducerId == group.Key))!.Key;
        _batches.RemoveAll(one => one.Batch.ProducerId == idlest);
    }

    public void Expire(long now)
    {
        var gone = _batches.GroupBy(one => one.Batch.ProducerId).Where(group => now - group.Max(one => one.Seen) >= limits.IdleMs).Select(group => group.Key).ToHashSet();
        _batches.RemoveAll(one => gone.Contains(one.Batch.ProducerId));
    }

    private List<RecordBatchHeader> Of(long producerId) => [.. _batches.Select(one => one.Batch).Where(one => one.ProducerId == producerId)];
}

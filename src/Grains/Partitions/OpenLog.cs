using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>
/// One ownership of a partition: from an opening to the next, or to the end of the activation. Staging: <see cref="Stage"/>, then either
/// <see cref="Accept"/> or <see cref="Unstage"/> without anything between. Once broken nothing is staged any more; what was may still commit.
/// </summary>
internal sealed class OpenLog
{
    private readonly TaskCompletionSource<OpenLog?> _successor = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SiloPartitions _silo;
    private readonly TopicCounts _traffic;
    private Queue<StagedAppend>? _staged;
    private bool _hasCommitted;

    private OpenLog(OwnedPartition owned, PartitionLog offsets, ProducerStates producers, LeaderEpochs epochs, SiloPartitions silo)
    {
        (Owned, Offsets, Producers, Epochs, _silo) = (owned, offsets, producers, epochs, silo);
        _traffic = silo.Traffic.Of(owned.Partition.TopicId);
        OpenedAt = silo.Time.GetTimestamp();
    }

    public OwnedPartition Owned { get; }

    public PartitionLog Offsets { get; }

    /// <summary>As of the staged end.</summary>
    public ProducerStates Producers { get; }

    public LeaderEpochs Epochs { get; }

    /// <summary>A timestamp of the silo's clock.</summary>
    public long OpenedAt { get; }

    public bool IsBroken { get; private set; }

    /// <summary>Batches that were accepted since the producers' states were saved.</summary>
    public int UnsavedBatches { get; set; }

    /// <summary>The next ownership of this activation; null where there will be none.</summary>
    public Task<OpenLog?> Successor => _successor.Task;

    /// <summary>The batch that was staged last, where it is not known to be committed.</summary>
    public StagedAppend? LastStaged { get; private set; }

    public static OpenLog From(OpenedPartition opened, SiloPartitions silo)
    {
        var offsets = new PartitionLog(opened.Owned.LeaderEpoch, opened.LogStartOffset, opened.EndOffset);
        var epochs = new LeaderEpochs(opened.LeaderEpochs, silo.Options.MaxLeaderEpochs);
        epochs.TruncateStart(opened.LogStartOffset);
        var producers = ProducerSnapshot.Restore(
            opened.ProducerSnapshot.Span, opened.HeadersAfterSnapshot, silo.ProducerLimits, silo.NowMs);
        return new OpenLog(opened.Owned, offsets, producers, epochs, silo) { UnsavedBatches = opened.UnsavedBatches };
    }

    /// <summary>Gives a batch its offsets and stamps them, the epoch, and the time where the topic asks for it.</summary>
    public StagedAppend Stage(Memory<byte> bytes, in RecordBatchHeader header, TopicSettings settings, long now)
    {
        if (IsBroken)
            throw new InvalidOperationException($"nothing is staged in a broken log: {Offsets}");
        var baseOffset = Offsets.Stage(header.RecordCount);
        RecordBatchHeader.StampBaseOffset(bytes.Span, baseOffset);
        RecordBatchHeader.StampLeaderEpoch(bytes.Span, Offsets.LeaderEpoch);
        var stamped = header with { BaseOffset = baseOffset, PartitionLeaderEpoch = Offsets.LeaderEpoch };
        if (settings.TimestampType == TimestampType.CreateTime)
            return new StagedAppend(stamped, bytes, RecordBatchHeader.NoTimestamp);
        RecordBatchHeader.StampLogAppendTime(bytes.Span, now);
        return new StagedAppend(stamped with { MaxTimestamp = now }, bytes, now);
    }

    /// <summary>Takes back a batch that the store did not take.</summary>
    public void Unstage(StagedAppend append) => Offsets.Unstage(append.Header.BaseOffset);

    /// <summary>The store has queued the batch: it counts from here on.</summary>
    public void Accept(StagedAppend append, long now)
    {
        (_staged ??= []).Enqueue(append);
        LastStaged = append;
        Producers.Record(append.Header, now);
        UnsavedBatches++;
    }

    /// <summary>The batch at that offset, where it is still in flight.</summary>
    public StagedAppend? FindStaged(long baseOffset)
    {
        foreach (var append in _staged ?? [])
        {
            if (append.Header.BaseOffset == baseOffset)
                return append;
        }

        return null;
    }

    /// <summary>
    /// The batch is on disk, and so is every one that was staged before it. Adds them to <paramref name="tail"/>; false where that was known.
    /// </summary>
    public bool Commit(StagedAppend append, TailView? tail)
    {
        if (!Offsets.Commit(append.Header.EndOffset))
            return false;
        while (_staged!.TryPeek(out var first) && first.Header.EndOffset <= Offsets.HighWatermark)
        {
            _staged.Dequeue();
            tail?.Add(first.Header.BaseOffset, first.Header.EndOffset, first.Bytes);
            PartitionMetrics.Appended(first.Header.RecordCount, first.Bytes.Length);
            _traffic.Appended(first.Header.RecordCount, first.Bytes.Length);
        }

        if (!_hasCommitted)
            _silo.Happenings.FirstAppend(Owned.Partition, this);
        _hasCommitted = true;
        if (_staged.Count == 0)
            LastStaged = null;
        return true;
    }

    /// <summary>So many bytes were given to a reader.</summary>
    public void CountRead(int bytes)
    {
        _traffic.Read(bytes);
        _silo.Traffic.Succeeded();
    }

    /// <summary>False where it was broken before.</summary>
    public bool Break()
    {
        var first = !IsBroken;
        IsBroken = true;
        return first;
    }

    public void SucceedBy(OpenLog? next)
    {
        IsBroken = true;
        _successor.TrySetResult(next);
    }
}

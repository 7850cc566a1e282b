namespace Granary.Grains.Partitions;

/// <summary>
/// The offsets of one ownership of a log. Always: 0 &lt;= log start &lt;= high watermark &lt;= staged end. Each method asserts it and is the only
/// way to move what it moves. Staged is what was given an offset; committed (below the high watermark) is what is on disk.
/// </summary>
internal sealed class PartitionLog
{
    public PartitionLog(int leaderEpoch, long logStartOffset, long endOffset)
    {
        if (leaderEpoch < 0)
            throw new ArgumentOutOfRangeException(nameof(leaderEpoch), leaderEpoch, "0 or more");
        (LeaderEpoch, LogStartOffset, HighWatermark, StagedEndOffset) = (leaderEpoch, logStartOffset, endOffset, endOffset);
        Check();
    }

    public int LeaderEpoch { get; }

    /// <summary>Inclusive.</summary>
    public long LogStartOffset { get; private set; }

    /// <summary>Exclusive: all below it is on disk.</summary>
    public long HighWatermark { get; private set; }

    /// <summary>Exclusive bound for read_committed. The same as the high watermark as long as there are no transactions.</summary>
    public long LastStableOffset => HighWatermark;

    /// <summary>Exclusive: the next offset to give out.</summary>
    public long StagedEndOffset { get; private set; }

    /// <summary>Gives a batch its offsets; returns the first of them.</summary>
    public long Stage(int recordCount)
    {
        if (recordCount < 1)
            throw new ArgumentOutOfRangeException(nameof(recordCount), recordCount, "1 or more");
        var baseOffset = StagedEndOffset;
        StagedEndOffset = checked(baseOffset + recordCount);
        Check();
        return baseOffset;
    }

    /// <summary>Takes back what was staged last, which must have begun at <paramref name="baseOffset"/> and have been handed to nobody.</summary>
    public void Unstage(long baseOffset)
    {
        if (baseOffset < HighWatermark || baseOffset >= StagedEndOffset)
            throw new InvalidOperationException($"offset {baseOffset} is not staged: {this}");
        StagedEndOffset = baseOffset;
        Check();
    }

    /// <summary>All below <paramref name="endOffset"/> is on disk; false where that was known.</summary>
    public bool Commit(long endOffset)
    {
        if (endOffset <= HighWatermark)
            return false;
        if (endOffset > StagedEndOffset)
            throw new InvalidOperationException($"offset {endOffset} was committed, but never staged: {this}");
        HighWatermark = endOffset;
        Check();
        return true;
    }

    /// <summary>Nothing below <paramref name="logStartOffset"/> is there any more; false where that was known.</summary>
    public bool AdvanceStart(long logStartOffset)
    {
        if (logStartOffset <= LogStartOffset)
            return false;
        if (logStartOffset > HighWatermark)
            throw new InvalidOperationException($"log start {logStartOffset} lies above the high watermark: {this}");
        LogStartOffset = logStartOffset;
        Check();
        return true;
    }

    public override string ToString() =>
        $"epoch {LeaderEpoch}, log start {LogStartOffset}, high watermark {HighWatermark}, staged end {StagedEndOffset}";

    private void Check()
    {
        if (LogStartOffset < 0 || LogStartOffset > HighWatermark || HighWatermark > StagedEndOffset)
            throw new InvalidOperationException($"the offsets contradict one another: {this}");
    }
}

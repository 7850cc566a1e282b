namespace Granary.Grains.Partitions;

/// <summary>What became of an append whose commit gave no answer.</summary>
internal enum InDoubtVerdict : byte
{
    Committed,
    NotWritten,

    /// <summary>What could tell is gone: its part of the log was deleted since.</summary>
    Unknown,
}

/// <summary>
/// Decides appends in doubt by the log as it was found when it was opened anew. Only its owner writes under a leader epoch, and once
/// the log was opened anew nothing more is written under the former ones: so whatever lies between the start of an
/// epoch and the start of the next was written by that epoch's owner, and its appends, being in order, are there up to where that run ends.
/// </summary>
internal static class InDoubt
{
    /// <param name="epoch">The leader epoch that the append was made under.</param>
    /// <param name="baseOffset">Its first offset (inclusive).</param>
    /// <param name="found">The log's offsets when it was opened anew.</param>
    /// <param name="epochs">Its epochs then, the newest of which began at its end.</param>
    public static InDoubtVerdict Decide(int epoch, long baseOffset, PartitionLog found, LeaderEpochs epochs)
    {
        for (var i = 0; i < epochs.All.Count; i++)
        {
            if (epochs.All[i].Epoch != epoch)
                continue;
            var end = i + 1 < epochs.All.Count ? epochs.All[i + 1].StartOffset : found.HighWatermark;
            return baseOffset < end ? InDoubtVerdict.Committed : InDoubtVerdict.NotWritten;
        }

        // The epoch wrote nothing that is still there. Where the log start has not come as far as the append, nothing of it was deleted either.
        return found.LogStartOffset <= baseOffset ? InDoubtVerdict.NotWritten : InDoubtVerdict.Unknown;
    }
}

namespace Granary.Grains.Partitions;

/// <summary>
/// Which leader epoch began at which offset: epochs and start offsets both rise strictly. An epoch ends where the next begins.
/// Source: KIP-101 and KIP-279.
/// </summary>
internal sealed class LeaderEpochs
{
    private readonly List<(int Epoch, long StartOffset)> _epochs;

    /// <param name="epochs">Ascending. Epochs that appended nothing are left out: the next one starts at the same offset.</param>
    /// <param name="maxEpochs">How many are kept: the newest.</param>
    public LeaderEpochs(IReadOnlyList<(int Epoch, long StartOffset)> epochs, int maxEpochs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEpochs, 1);
        _epochs = new List<(int, long)>(Math.Min(epochs.Count, maxEpochs));
        for (var i = Math.Max(0, epochs.Count - maxEpochs); i < epochs.Count; i++)
            Add(epochs[i].Epoch, epochs[i].StartOffset);
    }

    public IReadOnlyList<(int Epoch, long StartOffset)> All => _epochs;

    /// <summary>The epoch that wrote the record at <paramref name="offset"/>, or would be asked for it; -1 where none is known.</summary>
    public int EpochAt(long offset)
    {
        for (var i = _epochs.Count - 1; i >= 0; i--)
        {
            if (_epochs[i].StartOffset <= offset)
                return _epochs[i].Epoch;
        }

        return -1;
    }

    /// <summary>
    /// The largest known epoch not above <paramref name="epoch"/> and where it ended (exclusive; the current one at
    /// <paramref name="endOffset"/>). An epoch below all known: itself, and the start of the first known. One above all known: (-1, -1).
    /// </summary>
    public (int Epoch, long EndOffset) FindEnd(int epoch, long endOffset)
    {
        if (epoch < 0 || _epochs.Count == 0 || epoch > _epochs[^1].Epoch)
            return (-1, -1);
        if (epoch == _epochs[^1].Epoch)
            return (epoch, endOffset);
        var above = _epochs.FindIndex(known => known.Epoch > epoch);
        return (above == 0 ? epoch : _epochs[above - 1].Epoch, _epochs[above].StartOffset);
    }

    /// <summary>Forgets epochs that ended at or before the log's new start; the one that contains it begins there now.</summary>
    public void TruncateStart(long logStartOffset)
    {
        var keep = _epochs.FindLastIndex(known => known.StartOffset <= logStartOffset);
        if (keep < 0)
            return;
        _epochs.RemoveRange(0, keep);
        _epochs[0] = (_epochs[0].Epoch, logStartOffset);
    }

    private void Add(int epoch, long startOffset)
    {
        if (_epochs.Count > 0 && (epoch <= _epochs[^1].Epoch || startOffset < _epochs[^1].StartOffset))
            throw new ArgumentException($"leader epoch {epoch} at offset {startOffset} does not follow {_epochs[^1]}");
        if (_epochs.Count > 0 && _epochs[^1].StartOffset == startOffset)
            _epochs.RemoveAt(_epochs.Count - 1);
        _epochs.Add((epoch, startOffset));
    }
}

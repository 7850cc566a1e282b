using Granary.Abstractions.Clients;

namespace Granary.Abstractions.Subscriptions;

/// <summary>How far a partition is done where its records are not done in order: below <see cref="Position"/> all are.</summary>
internal sealed class PartitionProgress
{
    private readonly SortedSet<long> _unfinished = [];

    // Where leader epochs begin, among the records from the one before the position on: epochs only rise.
    private readonly Queue<(long Offset, int Epoch)> _epochs = [];
    private int _doneEpoch = -1;
    private int _lastEpoch = -1;
    private long _next = -1;

    /// <summary>Records taken and not finished.</summary>
    public int Unfinished => _unfinished.Count;

    /// <summary>The lowest offset that is not finished; after the last one where all are; null before the first.</summary>
    public LogPosition? Position
    {
        get
        {
            if (_next < 0)
                return null;
            var offset = _unfinished.Count > 0 ? _unfinished.Min : _next;
            while (_epochs.TryPeek(out var begun) && begun.Offset < offset)
                (_doneEpoch, _) = (begun.Epoch, _epochs.Dequeue());
            return LogPosition.At(offset, _doneEpoch);
        }
    }

    /// <param name="record">Beyond all that were taken before.</param>
    public void Take(ConsumedRecord record)
    {
        _unfinished.Add(record.Offset);
        _next = record.Offset + 1;
        if (record.LeaderEpoch == _lastEpoch)
            return;
        _lastEpoch = record.LeaderEpoch;
        _epochs.Enqueue((record.Offset, record.LeaderEpoch));
    }

    public void Finish(long offset) => _unfinished.Remove(offset);
}

namespace Granary.Abstractions.Subscriptions;

/// <summary>How far a partition is done where its records are not done in order: below <see cref="Position"/> all are.</summary>
internal sealed class PartitionProgress
{
    private readonly SortedSet<long> _unfinished = [];
    private long _next = -1;

    /// <summary>Records taken and not finished.</summary>
    public int Unfinished => _unfinished.Count;

    /// <summary>The lowest offset that is not finished; after the last one where all are; -1 before the first.</summary>
    public long Position => _unfinished.Count > 0 ? _unfinished.Min : _next;

    /// <param name="offset">Beyond all that were taken before.</param>
    public void Take(long offset)
    {
        _unfinished.Add(offset);
        _next = offset + 1;
    }

    public void Finish(long offset) => _unfinished.Remove(offset);
}

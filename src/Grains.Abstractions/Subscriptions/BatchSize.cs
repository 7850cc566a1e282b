namespace Granary.Abstractions.Subscriptions;

/// <summary>
/// How many records the next call of one grain gets. Pure. What a grain cannot do within one call's time would fail for ever were it sent again unchanged, so a call
/// that failed is followed by half of its records, down to one. From there the size grows with each call that ends well: by one, because a little more is what
/// failed; but where one record alone failed it was not the size, and it doubles.
/// </summary>
/// <param name="most">Where it begins, and as far as it grows; 1 or more.</param>
internal sealed class BatchSize(int most)
{
    private readonly int _most = most;
    private int _doublesTo = most;

    public int Records { get; private set; } = most;

    /// <param name="sent">The records of the call that failed.</param>
    public void Failed(int sent)
    {
        Records = Math.Max(1, sent / 2);
        _doublesTo = sent > 1 ? Records : _most;
    }

    /// <param name="sent">The records of the call that ended well. Fewer than it might have had say nothing of what it could have borne.</param>
    public void Succeeded(int sent)
    {
        if (sent >= Records)
            Records = (int)Math.Min(_most, Records < _doublesTo ? Math.Min(_doublesTo, 2L * Records) : Records + 1L);
    }
}

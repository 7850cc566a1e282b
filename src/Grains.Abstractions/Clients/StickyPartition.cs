namespace Granary.Abstractions.Clients;

/// <summary>
/// Chooses partitions for a topic's records that have no key: stays with one until a batch's worth of bytes went there, then goes to
/// another at random, so that batches fill and all partitions get the same (KIP-480, KIP-794). Not safe for several threads.
/// </summary>
/// <param name="switchAfterBytes">How many bytes of records to send to one partition.</param>
/// <param name="random">Where the choices come from.</param>
internal sealed class StickyPartition(int switchAfterBytes, Random random)
{
    private int _current = -1;
    private long _bytes;

    /// <summary>The partition for a record of that size. <paramref name="partitionCount"/>: 1 or more; may grow from call to call.</summary>
    public int Choose(int partitionCount, int recordBytes)
    {
        if (_current < 0 || _current >= partitionCount || _bytes >= switchAfterBytes)
        {
            _current = Another(partitionCount);
            _bytes = 0;
        }

        _bytes += recordBytes;
        return _current;
    }

    private int Another(int partitionCount)
    {
        if (_current < 0 || _current >= partitionCount || partitionCount == 1)
            return random.Next(partitionCount);

        // Any but the current one.
        var choice = random.Next(partitionCount - 1);
        return choice < _current ? choice : choice + 1;
    }
}

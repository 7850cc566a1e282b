namespace Granary.Grains.Partitions;

/// <summary>A reader that waits for a bound to pass an offset. What waking means is up to who made it.</summary>
internal interface IFetchWaiter
{
    Guid ReaderId { get; }

    /// <summary>Wake it when the bound is above this offset.</summary>
    long Offset { get; }

    void Wake();
}

/// <summary>
/// The readers of one partition that wait for more: each at most once, woken when the bound passes their offset, or when the same reader waits
/// anew. Adding and removing take constant time; a bound that moves looks at every reader once, and only when it passes somebody. Waking allocates nothing.
/// </summary>
/// <param name="maxWaiters">How many may wait; further ones are not taken.</param>
internal sealed class FetchWaiters<T>(int maxWaiters)
    where T : class, IFetchWaiter
{
    private const int KeptCapacity = 16;

    private Dictionary<Guid, int>? _places;
    private T[] _waiters = [];
    private long _lowest = long.MaxValue;

    public int Count { get; private set; }

    /// <summary>Takes a waiter, after waking the one that its reader had; false where the maximum is reached.</summary>
    public bool TryAdd(T waiter)
    {
        _places ??= [];
        if (_places.TryGetValue(waiter.ReaderId, out var place))
        {
            var former = _waiters[place];
            _waiters[place] = waiter;
            _lowest = Math.Min(_lowest, waiter.Offset);
            former.Wake();
            return true;
        }

        if (Count >= maxWaiters)
            return false;
        if (Count == _waiters.Length)
            Array.Resize(ref _waiters, Math.Min(maxWaiters, Math.Max(4, Count * 2)));
        _places.Add(waiter.ReaderId, Count);
        _waiters[Count++] = waiter;
        _lowest = Math.Min(_lowest, waiter.Offset);
        return true;
    }

    /// <summary>Forgets a waiter without waking it; nothing happens where it is not here any more.</summary>
    public void Remove(T waiter)
    {
        if (_places is not null && _places.TryGetValue(waiter.ReaderId, out var place) && ReferenceEquals(_waiters[place], waiter))
            RemoveAt(place);

        // The last reader went because its time was over: an idle partition keeps little. Whoever was woken comes back at once.
        if (Count == 0 && _waiters.Length > KeptCapacity)
            (_waiters, _places) = ([], null);
    }

    /// <summary>Wakes and forgets whoever waits for an offset below <paramref name="bound"/>. Returns how many.</summary>
    public int Wake(long bound)
    {
        if (bound <= _lowest)
            return 0;
        var woken = 0;
        var lowest = long.MaxValue;
        for (var i = Count - 1; i >= 0; i--)
        {
            var waiter = _waiters[i];
            if (waiter.Offset >= bound)
            {
                lowest = Math.Min(lowest, waiter.Offset);
                continue;
            }

            RemoveAt(i);
            waiter.Wake();
            woken++;
        }

        _lowest = lowest;
        return woken;
    }

    /// <summary>Wakes and forgets everybody.</summary>
    public int WakeAll() => Wake(long.MaxValue);

    private void RemoveAt(int place)
    {
        _places!.Remove(_waiters[place].ReaderId);
        Count--;
        if (place < Count)
        {
            _waiters[place] = _waiters[Count];
            _places[_waiters[place].ReaderId] = place;
        }

        _waiters[Count] = null!;
        if (Count == 0)
            _lowest = long.MaxValue;
    }
}

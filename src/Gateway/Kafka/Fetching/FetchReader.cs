using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;

namespace Granary.Gateway.Kafka.Fetching;

/// <summary>A wait for more records of a partition, and what its reader knew when it began.</summary>
internal sealed class PartitionWait(FetchAsk ask, IsolationLevel isolation, long bound, ReadResult? known)
{
    private volatile bool _isOver;

    public FetchAsk Ask { get; } = ask;

    public IsolationLevel Isolation { get; } = isolation;

    /// <summary>The wait ends when the bound is above this.</summary>
    public long Bound { get; } = bound;

    /// <summary>The read that it began after; null where that gave records.</summary>
    public ReadResult? Known { get; } = known;

    /// <summary>True: there may be something new; read again.</summary>
    public bool IsOver => _isOver;

    public void End() => _isOver = true;
}

/// <summary>
/// What one connection's fetches know from one to the next: partitions that had nothing new, and still have not, are neither read nor waited for
/// again. So a fetch costs what is new, however many partitions it names. A wait that a fetch began goes on for the next one. Safe for many threads.
/// </summary>
internal sealed class FetchReader
{
    /// <summary>Well below the time after which Orleans gives a call up.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(15);

    /// <summary>Partitions that it remembers having given records of; beyond that it begins anew.</summary>
    private const int MaxGiven = 100_000;

    private readonly ConcurrentDictionary<PartitionId, PartitionWait> _waits = new();
    private readonly ConcurrentDictionary<PartitionId, long> _given = new();
    private TaskCompletionSource _woken = NewSignal();

    /// <summary>Under this name it waits on partitions.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>Waits that are kept, over ones included.</summary>
    public int Count => _waits.Count;

    /// <summary>Ends when the next wait does. Take it before looking at the waits.</summary>
    public Task Woken => Volatile.Read(ref _woken).Task;

    /// <summary>Answers a partition's fetch by what a former one read, where nothing has come since; false where it has to be read.</summary>
    public bool TryAnswer(PartitionFetch fetch)
    {
        if (!_waits.TryGetValue(fetch.Partition!.Id, out var wait) || wait.IsOver)
            return false;
        var isSame = wait.Ask.Offset == fetch.Ask.Offset && wait.Ask.LeaderEpoch == fetch.Ask.LeaderEpoch && wait.Isolation == fetch.Isolation;
        if (!isSame || wait.Known is not { } known || wait.Bound > fetch.Ask.Offset)
            return false;
        fetch.Result = known;
        fetch.Wait = wait;
        return true;
    }

    /// <summary>Waits for more than the fetch's result shows, unless it does already.</summary>
    public void Watch(PartitionFetch fetch)
    {
        if (fetch.Wait is not null)
            return;
        var partition = fetch.Partition!;
        // A second wait of one reader would end the first, so one serves all fetches that know as much.
        if (_waits.TryGetValue(partition.Id, out var other) && !other.IsOver && other.Bound == fetch.Bound && other.Isolation == fetch.Isolation)
        {
            fetch.Wait = other;
            return;
        }

        var wait = new PartitionWait(fetch.Ask, fetch.Isolation, fetch.Bound, fetch.Result.Records.IsEmpty ? fetch.Result : null);
        fetch.Wait = wait;
        _waits[partition.Id] = wait;
        _ = WaitAsync(partition.Grain, wait, fetch.ClientId);
    }

    /// <summary>Takes note of where the log ended (exclusive) from which records are given.</summary>
    public void NoteGiven(PartitionFetch fetch)
    {
        if (fetch.Result.Records.IsEmpty)
            return;
        if (_given.Count >= MaxGiven)
            _given.Clear();
        _given[fetch.Partition!.Id] = fetch.Result.HighWatermark;
    }

    /// <summary>No record at or above this offset was given of that partition; -1 where none was at all.</summary>
    public long GivenBelow(PartitionId partition) => _given.GetValueOrDefault(partition, -1);

    /// <summary>Forgets the partitions that are no longer fetched.</summary>
    public void KeepOnly(List<PartitionFetch> fetches)
    {
        if (_waits.Count <= fetches.Count)
            return;
        var kept = fetches.Where(fetch => fetch.Partition is not null).Select(fetch => fetch.Partition!.Id).ToHashSet();
        foreach (var (partition, _) in _waits)
        {
            if (!kept.Contains(partition))
                _waits.TryRemove(partition, out _);
        }
    }

    private async Task WaitAsync(IPartitionGrain grain, PartitionWait wait, string? clientId)
    {
        try
        {
            await grain.WaitAsync(new WaitRequest(Id, wait.Bound, s_longestWait, wait.Isolation, clientId));
        }
        catch (Exception)
        {
            // What is wrong is learned, told and logged by the read that follows.
        }

        wait.End();
        Interlocked.Exchange(ref _woken, NewSignal()).TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Placement;

/// <summary>
/// What this silo has seen happen in the cluster, the newest only: a ring in memory. Telling costs a few words of memory whether anybody
/// watches or not; who watches asks from where it stopped. Safe for many threads.
/// </summary>
public sealed class ClusterJournal(TimeProvider time, IOptions<PlacementOptions> options)
{
    private const int MaxPage = 1_000;

    private readonly Lock _lock = new();
    private readonly ClusterHappening?[] _kept = new ClusterHappening?[options.Value.JournalLength];
    private long _lastId;
    private TaskCompletionSource? _awaited;

    public TimeProvider Time { get; } = time;

    /// <summary>Puts it down with the next id and the time of now.</summary>
    public void Tell(ClusterHappening happening)
    {
        TaskCompletionSource? awaited;
        lock (_lock)
        {
            _lastId++;
            _kept[_lastId % _kept.Length] = happening with { Id = _lastId, At = Time.GetUtcNow() };
            (awaited, _awaited) = (_awaited, null);
        }

        awaited?.TrySetResult();
    }

    /// <summary>What came after that id, oldest first; whether some of it is forgotten already; and from where to go on.</summary>
    public (ImmutableArray<ClusterHappening> Happenings, long LastId, bool Missed) Read(long afterId)
    {
        lock (_lock)
        {
            // An id from the future is of another run of this silo.
            var from = afterId < 0 || afterId > _lastId ? 0 : afterId;
            var oldest = Math.Max(0, _lastId - _kept.Length);
            var first = Math.Max(from, oldest) + 1;
            var count = (int)Math.Min(MaxPage, _lastId - first + 1);
            var page = ImmutableArray.CreateBuilder<ClusterHappening>(count);
            for (var id = first; id < first + count; id++)
                page.Add(_kept[id % _kept.Length]!);
            return (page.MoveToImmutable(), first + count - 1, from < oldest && afterId != 0);
        }
    }

    /// <summary>Until something comes after that id, or the time is over.</summary>
    public async Task WaitAsync(long afterId, TimeSpan maxWait, CancellationToken cancellation)
    {
        Task told;
        lock (_lock)
        {
            if (_lastId != afterId)
                return;
            told = (_awaited ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await Task.WhenAny(told, Task.Delay(maxWait, Time, cancellation)).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext);
    }
}

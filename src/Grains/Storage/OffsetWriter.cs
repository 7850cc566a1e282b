using System.Diagnostics;

namespace Granary.Grains.Storage;

/// <summary>
/// Group commit of positions: whatever waits when the last flush is done goes into the next, of all groups of the silo, in one statement with one
/// flush to disk. One worker, so the writes of a group take effect in their order. A flush whose outcome is unknown is written again under its
/// number, so that of all its copies, in whatever order they are carried out, one takes effect, and none after a later flush. States: working; stopping (writes are refused, what waits is still written).
/// </summary>
internal sealed class OffsetWriter(SessionPool sessions, StorageOptions options, TimeProvider time, StorageDiagnostics diagnostics)
{
    private const int MaxAttempts = 5;

    private readonly Lock _lock = new();
    private readonly Queue<Pending> _queue = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _abandon = new();
    private readonly OffsetFlush _flush = new();
    private readonly List<Pending> _taken = [];
    private int _queued;
    private bool _stopping;
    private Task _worker = Task.CompletedTask;

    public void Start() => _worker = Task.Run(WorkAsync);

    public Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null)
    {
        var pending = new Pending(group, writes, reset);
        lock (_lock)
        {
            if (_stopping)
                return Task.FromResult(GroupWriteOutcome.NotWritten);
            if (_queued > 0 && _queued + writes.Count > options.MaxQueuedOffsets)
                return Task.FromResult(GroupWriteOutcome.Overloaded);
            _queue.Enqueue(pending);
            _queued += writes.Count;
            if (_wake.CurrentCount == 0)
                _wake.Release();
        }

        return pending.Task;
    }

    /// <summary>Writes what waits, refuses what comes. When <paramref name="cancellation"/> strikes, what still waits is refused too.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            _stopping = true;
            if (_wake.CurrentCount == 0)
                _wake.Release();
        }

        await using (cancellation.Register(_abandon.Cancel))
            await _worker;
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            await _wake.WaitAsync();
            while (Take())
            {
                var outcome = GroupWriteOutcome.Unknown;
                HashSet<int>? owned = null;
                try
                {
                    (outcome, owned) = await FlushAsync();
                }
                catch (Exception defect)
                {
                    // Nothing is known of what was taken; the worker itself must live on.
                    diagnostics.LaneDefect(defect);
                }

                foreach (var pending in _taken)
                    pending.TrySetResult(owned is null || owned.Contains(pending.Group.Number) ? outcome : GroupWriteOutcome.Fenced);
            }

            lock (_lock)
            {
                if (_stopping && _queue.Count == 0)
                    return;
            }
        }
    }

    private bool Take()
    {
        _taken.Clear();
        _flush.Clear();
        lock (_lock)
        {
            while (_queue.TryPeek(out var next) && (_taken.Count == 0 || _flush.Count + next.Writes.Count <= options.MaxOffsetsPerFlush))
            {
                if (!_flush.TryAdd(next.Group, next.Writes, next.Reset))
                    break;
                _taken.Add(_queue.Dequeue());
                _queued -= next.Writes.Count;
            }
        }

        return _taken.Count > 0;
    }

    private async Task<(GroupWriteOutcome Outcome, HashSet<int>? Owned)> FlushAsync()
    {
        var worst = GroupWriteOutcome.NotWritten;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var startedAt = Stopwatch.GetTimestamp();
                var owned = await sessions.RunAsync(_flush.WriteAsync, _abandon.Token);
                StorageMetrics.OffsetsFlushed(_flush.Count, startedAt);
                return (GroupWriteOutcome.Written, owned);
            }
            catch (Exception failure) when (failure is StoreUnavailableException or OperationCanceledException)
            {
                if (FlushFailure.Classify(failure.InnerException ?? failure, commitWasSent: true) == FlushFailureKind.Unknown)
                    worst = GroupWriteOutcome.Unknown;
                if (attempt == MaxAttempts || _abandon.IsCancellationRequested)
                {
                    diagnostics.OffsetsNotWritten(failure, _flush.Count, worst);
                    return (worst, null);
                }

                diagnostics.FlushRetried(attempt, failure.Message);
                await Task.Delay(options.ReconnectDelay / 10 * attempt, time, CancellationToken.None);
            }
        }
    }

    private sealed class Pending(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset)
        : TaskCompletionSource<GroupWriteOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public OwnedGroup Group { get; } = group;

        public IReadOnlyList<OffsetWrite> Writes { get; } = writes;

        public ResetEntry? Reset { get; } = reset;
    }
}

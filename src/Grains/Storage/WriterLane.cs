using System.Diagnostics;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Group commit: appends wait in a queue; whatever waits when the last flush is done goes into the next. One worker, one connection, one
/// flush at a time, so a partition's batches are written in their order. A flush holds one slab family; families take turns.
/// States: connected; away (PostgreSQL could not be reached: appends are answered at once, a connection is tried again and again);
/// stopping (appends are refused, what waits is still written).
/// </summary>
internal sealed class WriterLane
{
    private const int MaxAttempts = 5;

    private readonly NpgsqlDataSource _source;
    private readonly SlabDirectory _slabs;
    private readonly StorageOptions _options;
    private readonly TimeProvider _time;
    private readonly StorageDiagnostics _diagnostics;
    private readonly Lock _lock = new();
    private readonly LaneQueue _queue;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _abandon = new();
    private readonly FlushPlan _plan = new();
    private readonly List<PendingAppend> _taken = [];
    private FlushSession? _session;
    private TaskCompletionSource? _back;
    private bool _stopping;
    private Task _worker = Task.CompletedTask;

    public WriterLane(NpgsqlDataSource source, SlabDirectory slabs, StorageOptions options, TimeProvider time, StorageDiagnostics diagnostics)
    {
        (_source, _slabs, _options, _time, _diagnostics) = (source, slabs, options, time, diagnostics);
        _queue = new LaneQueue(options);
    }

    /// <summary>Payload that waits now.</summary>
    public long QueuedBytes => _queue.Bytes;

    /// <summary>Over when appends are taken; at once, unless PostgreSQL could not be reached last.</summary>
    public Task Connected
    {
        get
        {
            lock (_lock)
                return _back?.Task ?? Task.CompletedTask;
        }
    }

    public void Start() => _worker = Task.Run(WorkAsync);

    public Task<AppendOutcome> Append(OwnedLog owner, in StagedBatch batch)
    {
        lock (_lock)
        {
            if (owner.IsBroken)
                return Task.FromResult(AppendOutcome.NotWritten);
            if (_back is not null || _stopping)
            {
                owner.Break();
                return Task.FromResult(AppendOutcome.NotWritten);
            }

            if (!_queue.TryAdd(owner, batch, out var append, out var refusal))
            {
                if (refusal == AppendOutcome.NotWritten)
                {
                    _diagnostics.OutOfOrder(owner.Partition, owner.QueuedEnd, batch.BaseOffset);
                    owner.Break();
                }

                return Task.FromResult(refusal);
            }

            if (_wake.CurrentCount == 0)
                _wake.Release();
            return append.Task;
        }
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
        if (_session is not null)
            await _session.DisposeAsync();
        _session = null;
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            await _wake.WaitAsync();
            while (Take(out var family))
            {
                try
                {
                    await WriteAsync(family);
                }
                catch (Exception defect)
                {
                    // Nothing is known of what was taken; the lane itself must live on.
                    _diagnostics.LaneDefect(defect);
                    Finish(_taken, AppendOutcome.Unknown);
                    await DropSessionAsync();
                }
            }

            lock (_lock)
            {
                if (_stopping && _queue.Count == 0)
                    return;
            }
        }
    }

    private bool Take(out int family)
    {
        _taken.Clear();
        lock (_lock)
            return _queue.TryTake(_taken, out family);
    }

    private async Task WriteAsync(int family)
    {
        RefuseBroken(_taken);
        for (var attempt = 1; _taken.Count > 0; attempt++)
        {
            if (_abandon.IsCancellationRequested)
            {
                Finish(_taken, AppendOutcome.NotWritten);
                return;
            }

            if (_session is null && !await ConnectAsync())
                return;
            var failure = await TryFlushAsync(family);
            if (failure is null)
                continue;
            StorageMetrics.Failed("append");
            var kind = FlushFailure.Classify(failure, _session?.CommitWasSent ?? false);
            await ForgetBrokenSessionAsync();
            if (kind == FlushFailureKind.Retry && attempt < MaxAttempts)
            {
                _diagnostics.FlushRetried(attempt, failure.Message);
                await RefreshSlabsAsync();
                continue;
            }

            _diagnostics.FlushFailed(failure, _taken.Count, kind);
            Finish(_taken, kind == FlushFailureKind.Unknown ? AppendOutcome.Unknown : AppendOutcome.NotWritten);
        }
    }

    /// <summary>One flush; leaves in <see cref="_taken"/> what is not decided: all after a failure, otherwise what is worth another try.</summary>
    private async Task<Exception?> TryFlushAsync(int family)
    {
        var session = _session!;
        session.Begin();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_abandon.Token);
        limit.CancelAfter(_options.StatementTimeout);
        try
        {
            var slab = await _slabs.GetOpenAsync(family, limit.Token);
            _plan.Build(_taken, slab, _time.GetUtcNow().UtcDateTime);
            var started = Stopwatch.GetTimestamp();
            await session.FlushAsync(_plan, limit.Token);
            StorageMetrics.Flushed(_plan, Stopwatch.GetElapsedTime(started));
        }
        catch (Exception failure)
        {
            return failure;
        }

        // From here on the flush is committed: whatever fails concerns only those that did not pass.
        var missed = SettleClaimed();
        Finish(_plan.Superseded, AppendOutcome.Fenced);
        _taken.Clear();
        _plan.Clear();
        if (missed.Count > 0)
            await SettleMissedAsync(missed, session, limit.Token);
        return null;
    }

    private List<PartitionFlush> SettleClaimed()
    {
        List<PartitionFlush> missed = [];
        foreach (var partition in _plan.Partitions)
        {
            if (!partition.Claimed)
            {
                missed.Add(partition);
                continue;
            }

            partition.Owner.Wrote(partition.After, partition.EndOffset);
            for (var append = partition.First; append is not null; append = append.Next)
                Settle(append, AppendOutcome.Committed);
        }

        return missed;
    }

    /// <summary>
    /// A head that did not pass although epoch and offset match had only its segment closed by the keeper, or emptied by a deletion of
    /// records: it tries again with the head as it is. All others are fenced.
    /// </summary>
    private async Task SettleMissedAsync(List<PartitionFlush> missed, FlushSession session, CancellationToken cancellation)
    {
        Dictionary<int, HeadRow> heads;
        try
        {
            heads = await session.LookAtHeadsAsync(missed, cancellation);
        }
        catch (Exception failure)
        {
            _diagnostics.FlushFailed(failure, missed.Count, FlushFailureKind.NotWritten);
            foreach (var partition in missed)
                Finish(partition, AppendOutcome.NotWritten);
            await ForgetBrokenSessionAsync();
            return;
        }

        foreach (var partition in missed)
        {
            var owner = partition.Owner;
            if (heads.TryGetValue(owner.Id, out var head)
                && head.LeaderEpoch == owner.LeaderEpoch && head.NextOffset == partition.ExpectedOffset && head.Active.SlabId != partition.Before.SlabId)
            {
                owner.Active = head.Active;
                for (var append = partition.First; append is not null; append = append.Next)
                    _taken.Add(append);
            }
            else
            {
                _diagnostics.Fenced(owner.Partition, owner.LeaderEpoch);
                Finish(partition, AppendOutcome.Fenced);
            }
        }
    }

    /// <summary>Connects; where that fails all that waits is refused, and it is tried again until it succeeds or the lane stops.</summary>
    private async Task<bool> ConnectAsync()
    {
        var delay = _options.ReconnectDelay / 10;
        while (true)
        {
            try
            {
                _session = await FlushSession.OpenAsync(_source, _options, _abandon.Token);
                if (_back is not { } back)
                    return true;
                _diagnostics.Connected();
                lock (_lock)
                    _back = null;
                back.SetResult();
                return false;
            }
            catch (Exception failure)
            {
                GoAway(failure);
            }

            lock (_lock)
            {
                if (_stopping)
                    return false;
            }

            try
            {
                await Task.Delay(delay, _time, _abandon.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }

            delay = delay * 2 < _options.ReconnectDelay ? delay * 2 : _options.ReconnectDelay;
        }
    }

    private void GoAway(Exception failure)
    {
        lock (_lock)
        {
            if (_back is null)
                _diagnostics.CannotConnect(failure);
            _back ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _queue.TakeAll(_taken);
        }

        Finish(_taken, AppendOutcome.NotWritten);
    }

    private async Task RefreshSlabsAsync()
    {
        try
        {
            await _slabs.RefreshAsync(_abandon.Token);
        }
        catch (Exception failure)
        {
            // The next attempt meets the same cause, and tells it.
            _diagnostics.FlushRetried(0, failure.Message);
        }
    }

    private async Task ForgetBrokenSessionAsync()
    {
        if (_session is { IsUsable: false })
            await DropSessionAsync();
    }

    private async Task DropSessionAsync()
    {
        var session = _session;
        _session = null;
        if (session is not null)
            await session.DisposeAsync();
    }

    private static void RefuseBroken(List<PendingAppend> appends)
    {
        var kept = 0;
        for (var i = 0; i < appends.Count; i++)
        {
            if (appends[i].Owner.IsBroken)
                Settle(appends[i], AppendOutcome.NotWritten);
            else
                appends[kept++] = appends[i];
        }

        appends.RemoveRange(kept, appends.Count - kept);
    }

    private static void Finish(List<PendingAppend> appends, AppendOutcome outcome)
    {
        foreach (var append in appends)
            Settle(append, outcome);
        appends.Clear();
    }

    private static void Finish(PartitionFlush partition, AppendOutcome outcome)
    {
        for (var append = partition.First; append is not null; append = append.Next)
            Settle(append, outcome);
    }

    private static void Settle(PendingAppend append, AppendOutcome outcome)
    {
        if (outcome != AppendOutcome.Committed)
            append.Owner.Break();
        StorageMetrics.Settled(outcome, append.Batch.Bytes.Length, append.QueuedAt);
        append.TrySetResult(outcome);
    }
}

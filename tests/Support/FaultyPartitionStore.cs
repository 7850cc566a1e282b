using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;

namespace Granary.Support;

/// <summary>What a faulty append does.</summary>
public enum AppendFault
{
    /// <summary>Nothing is written; answered <see cref="AppendOutcome.NotWritten"/>.</summary>
    NotWritten,

    /// <summary>Nothing is written; answered <see cref="AppendOutcome.Unknown"/>.</summary>
    LostBeforeCommit,

    /// <summary>It is written; answered <see cref="AppendOutcome.Unknown"/>.</summary>
    LostAfterCommit,

    /// <summary>Nothing is written; answered <see cref="AppendOutcome.Overloaded"/>.</summary>
    Overloaded,

    /// <summary>Nothing is written; answered <see cref="AppendOutcome.Fenced"/>.</summary>
    Fenced,
}

/// <summary>
/// A store around another one, whose next appends fail as a test asks, or wait until it lets them go. An ownership under which an append failed
/// is broken, as the contract says, also where the store within knows nothing of it.
/// </summary>
public sealed class FaultyPartitionStore(IPartitionStore inner) : IPartitionStore
{
    private readonly ConcurrentQueue<AppendFault> _faults = new();
    private readonly ConcurrentDictionary<OwnedPartition, bool> _broken = new();
    private volatile TaskCompletionSource? _gate;
    private volatile bool _away;

    /// <summary>Appends that were asked for since the beginning, faulty ones included.</summary>
    public int Appends => _appends;

    private int _appends;

    /// <summary>The next append that is not yet spoken for fails like this.</summary>
    public void FailNextAppend(AppendFault fault) => _faults.Enqueue(fault);

    /// <summary>From now on appends wait before they reach the store within, until the answer is disposed.</summary>
    public IDisposable HoldAppends()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _gate = gate;
        return new Gate(() =>
        {
            _gate = null;
            gate.TrySetResult();
        });
    }

    /// <summary>From now on nothing can be reached, until the answer is disposed.</summary>
    public IDisposable GoAway()
    {
        _away = true;
        return new Gate(() => _away = false);
    }

    public Task<AppendOutcome> AppendAsync(OwnedPartition partition, StagedBatch batch)
    {
        Interlocked.Increment(ref _appends);
        if (_broken.ContainsKey(partition))
            return Task.FromResult(AppendOutcome.NotWritten);
        if (_away)
            return Task.FromResult(Break(partition, AppendOutcome.NotWritten));
        var gate = _gate;
        if (!_faults.TryDequeue(out var fault))
            return gate is null ? inner.AppendAsync(partition, batch) : AppendLaterAsync(gate.Task, partition, batch);
        return fault switch
        {
            AppendFault.NotWritten => Task.FromResult(Break(partition, AppendOutcome.NotWritten)),
            AppendFault.Fenced => Task.FromResult(Break(partition, AppendOutcome.Fenced)),
            AppendFault.Overloaded => Task.FromResult(AppendOutcome.Overloaded),
            AppendFault.LostBeforeCommit => Task.FromResult(Break(partition, AppendOutcome.Unknown)),
            AppendFault.LostAfterCommit => AppendAndLoseAsync(partition, batch),
            _ => throw new ArgumentOutOfRangeException(nameof(batch), fault, "unknown fault"),
        };
    }

    public Task<OpenedPartition> OpenAsync(PartitionId partition, CarriedProducers? carried, CancellationToken cancellation) =>
        Reach(() => inner.OpenAsync(partition, carried, cancellation));

    public Task<IReadOnlyList<StoredBatch>> ReadAsync(
        OwnedPartition partition, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation) =>
        Reach(() => inner.ReadAsync(partition, fromOffset, endOffset, maxBytes, cancellation));

    public Task<StoredBatch?> FindByTimestampAsync(OwnedPartition partition, long timestamp, long fromOffset, long endOffset, CancellationToken cancellation) =>
        Reach(() => inner.FindByTimestampAsync(partition, timestamp, fromOffset, endOffset, cancellation));

    public Task<StoredBatch?> FindMaxTimestampAsync(OwnedPartition partition, long endOffset, CancellationToken cancellation) =>
        Reach(() => inner.FindMaxTimestampAsync(partition, endOffset, cancellation));

    public Task<IReadOnlyList<StoredSegment>> ListSegmentsAsync(OwnedPartition partition, CancellationToken cancellation) =>
        Reach(() => inner.ListSegmentsAsync(partition, cancellation));

    public Task<long> MeasureAsync(OwnedPartition partition, long startOffset, long endOffset, CancellationToken cancellation) =>
        Reach(() => inner.MeasureAsync(partition, startOffset, endOffset, cancellation));

    public Task<AppendOutcome> ConfirmAsync(OwnedPartition partition, CancellationToken cancellation) =>
        RefusesWork(partition) ? Task.FromResult(AppendOutcome.NotWritten) : inner.ConfirmAsync(partition, cancellation);

    public Task<AppendOutcome> AdvanceLogStartAsync(OwnedPartition partition, long logStartOffset, CancellationToken cancellation) =>
        RefusesWork(partition)
            ? Task.FromResult(AppendOutcome.NotWritten)
            : inner.AdvanceLogStartAsync(partition, logStartOffset, cancellation);

    public Task<AppendOutcome> SaveProducersAsync(
        OwnedPartition partition, long asOfOffset, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation) =>
        RefusesWork(partition)
            ? Task.FromResult(AppendOutcome.NotWritten)
            : inner.SaveProducersAsync(partition, asOfOffset, snapshot, cancellation);

    public Task<IReadOnlyList<PartitionId>> ListExpiredAsync(IReadOnlyList<RetentionBound> bounds, int limit, CancellationToken cancellation) =>
        Reach(() => inner.ListExpiredAsync(bounds, limit, cancellation));

    public async Task DeleteAsync(PartitionId partition, CancellationToken cancellation) =>
        await Reach(async () =>
        {
            await inner.DeleteAsync(partition, cancellation);
            return true;
        });

    private Task<T> Reach<T>(Func<Task<T>> call) => _away ? Task.FromException<T>(new StoreUnavailableException("away, as a test asked")) : call();

    private bool RefusesWork(OwnedPartition partition)
    {
        if (_away)
            Break(partition, AppendOutcome.NotWritten);
        return _broken.ContainsKey(partition);
    }

    private AppendOutcome Break(OwnedPartition partition, AppendOutcome outcome)
    {
        _broken[partition] = true;
        return outcome;
    }

    private async Task<AppendOutcome> AppendLaterAsync(Task gate, OwnedPartition partition, StagedBatch batch)
    {
        await gate;
        return _broken.ContainsKey(partition) ? AppendOutcome.NotWritten : await inner.AppendAsync(partition, batch);
    }

    private async Task<AppendOutcome> AppendAndLoseAsync(OwnedPartition partition, StagedBatch batch)
    {
        // Broken first, so that what is appended behind it is not written either.
        var written = inner.AppendAsync(partition, batch);
        Break(partition, AppendOutcome.Unknown);
        await written;
        return AppendOutcome.Unknown;
    }

    private sealed class Gate(Action open) : IDisposable
    {
        public void Dispose() => open();
    }
}

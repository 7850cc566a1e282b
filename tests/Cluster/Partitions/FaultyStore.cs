using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;

namespace Granary.Cluster.Partitions;

/// <summary>What happens to the next append of a partition.</summary>
internal enum AppendFault
{
    /// <summary>It commits, but its answer is lost.</summary>
    AnswerLost,

    /// <summary>It never arrives, and nobody knows.</summary>
    RequestLost,

    NotWritten,
    Overloaded,
}

/// <summary>Holds the appends of a partition back until it is opened.</summary>
internal sealed class Gate
{
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _last = Task.CompletedTask;

    public void Open() => _open.SetResult();

    /// <summary>Returns when one more append has come to the gate. Calls of one caller may overtake one another, so tests wait for each.</summary>
    public Task ArrivalAsync() => _arrived.WaitAsync(TestContext.Current.CancellationToken);

    public Task<AppendOutcome> PassAsync(Func<Task<AppendOutcome>> append)
    {
        var passed = PassAsync(_last, append);
        _last = passed;
        _arrived.Release();
        return passed;
    }

    private async Task<AppendOutcome> PassAsync(Task last, Func<Task<AppendOutcome>> append)
    {
        await last;
        await _open.Task;
        return await append();
    }
}

/// <summary>What is to go wrong, by partition; shared by the stores of all silos of a test.</summary>
internal sealed class Faults
{
    public ConcurrentDictionary<PartitionId, AppendFault> NextAppend { get; } = new();

    /// <summary>Openings that take effect, but whose answer is lost.</summary>
    public ConcurrentDictionary<PartitionId, int> LostOpenings { get; } = new();

    public ConcurrentDictionary<PartitionId, Gate> Gates { get; } = new();

    public ConcurrentDictionary<PartitionId, int> Openings { get; } = new();

    /// <summary>Reads of a partition's history wait until they are cancelled.</summary>
    public ConcurrentDictionary<PartitionId, HeldReads> HeldReads { get; } = new();

    /// <summary>The next opening of a partition waits here.</summary>
    public ConcurrentDictionary<PartitionId, HeldOpening> HeldOpenings { get; } = new();
}

/// <summary>Holds reads back until they are cancelled.</summary>
internal sealed class HeldReads
{
    private readonly SemaphoreSlim _arrived = new(0);

    /// <summary>Returns when one more read has come.</summary>
    public Task ArrivalAsync() => _arrived.WaitAsync(TestContext.Current.CancellationToken);

    public Task WaitAsync(CancellationToken cancellation)
    {
        _arrived.Release();
        return Task.Delay(Timeout.Infinite, cancellation);
    }
}

/// <summary>Holds one opening back, and tells whose it is.</summary>
internal sealed class HeldOpening
{
    private readonly TaskCompletionSource<IGrainContext> _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The activation that opens.</summary>
    public Task<IGrainContext> Arrival => _arrived.Task;

    /// <summary>Lets it go on; returns when it has opened, or failed to.</summary>
    public Task ReleaseAsync()
    {
        _open.SetResult();
        return _over.Task;
    }

    public async Task<OpenedPartition> PassAsync(IGrainContext activation, Func<Task<OpenedPartition>> open)
    {
        _arrived.SetResult(activation);
        await _open.Task;
        try
        {
            return await open();
        }
        finally
        {
            _over.SetResult();
        }
    }
}

/// <summary>A real store that fails on demand, as its contract says a store may.</summary>
internal sealed class FaultyStore(IPartitionStore inner, Faults faults, IGrainContextAccessor activations) : IPartitionStore
{
    private readonly ConcurrentDictionary<OwnedPartition, bool> _broken = new();

    public async Task<OpenedPartition> OpenAsync(PartitionId partition, CarriedProducers? carried, CancellationToken cancellation)
    {
        var opened = faults.HeldOpenings.TryRemove(partition, out var held)
            ? await held.PassAsync(activations.GrainContext, () => inner.OpenAsync(partition, carried, cancellation))
            : await inner.OpenAsync(partition, carried, cancellation);
        faults.Openings.AddOrUpdate(partition, 1, (_, count) => count + 1);
        if (faults.LostOpenings.GetValueOrDefault(partition) is var lost and > 0)
        {
            faults.LostOpenings[partition] = lost - 1;
            throw new StoreUnavailableException("the answer was lost");
        }

        return opened;
    }

    public Task<AppendOutcome> AppendAsync(OwnedPartition partition, StagedBatch batch)
    {
        if (_broken.ContainsKey(partition))
            return Task.FromResult(AppendOutcome.NotWritten);
        if (faults.NextAppend.TryRemove(partition.Partition, out var fault))
        {
            if (fault == AppendFault.Overloaded)
                return Task.FromResult(AppendOutcome.Overloaded);
            _broken[partition] = true;
            return FailAsync(partition, batch, fault);
        }

        return faults.Gates.TryGetValue(partition.Partition, out var gate)
            ? gate.PassAsync(() => inner.AppendAsync(partition, batch))
            : inner.AppendAsync(partition, batch);
    }

    public async Task<IReadOnlyList<StoredBatch>> ReadAsync(OwnedPartition partition, long fromOffset, long endOffset, int maxBytes, CancellationToken cancellation)
    {
        if (faults.HeldReads.TryGetValue(partition.Partition, out var held))
            await held.WaitAsync(cancellation);
        return await inner.ReadAsync(partition, fromOffset, endOffset, maxBytes, cancellation);
    }

    public Task<StoredBatch?> FindByTimestampAsync(OwnedPartition partition, long timestamp, long fromOffset, long endOffset, CancellationToken cancellation) =>
        inner.FindByTimestampAsync(partition, timestamp, fromOffset, endOffset, cancellation);

    public Task<StoredBatch?> FindMaxTimestampAsync(OwnedPartition partition, long endOffset, CancellationToken cancellation) =>
        inner.FindMaxTimestampAsync(partition, endOffset, cancellation);

    public Task<IReadOnlyList<StoredSegment>> ListSegmentsAsync(OwnedPartition partition, CancellationToken cancellation) =>
        inner.ListSegmentsAsync(partition, cancellation);

    public Task<long> MeasureAsync(OwnedPartition partition, long startOffset, long endOffset, CancellationToken cancellation) =>
        inner.MeasureAsync(partition, startOffset, endOffset, cancellation);

    public Task<AppendOutcome> ConfirmAsync(OwnedPartition partition, CancellationToken cancellation) => inner.ConfirmAsync(partition, cancellation);

    public Task<AppendOutcome> AdvanceLogStartAsync(OwnedPartition partition, long logStartOffset, CancellationToken cancellation) =>
        inner.AdvanceLogStartAsync(partition, logStartOffset, cancellation);

    public Task<AppendOutcome> SaveProducersAsync(OwnedPartition partition, long asOfOffset, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation) =>
        inner.SaveProducersAsync(partition, asOfOffset, snapshot, cancellation);

    public Task<IReadOnlyList<PartitionId>> ListExpiredAsync(IReadOnlyList<RetentionBound> bounds, int limit, CancellationToken cancellation) =>
        inner.ListExpiredAsync(bounds, limit, cancellation);

    public Task DeleteAsync(PartitionId partition, CancellationToken cancellation) => inner.DeleteAsync(partition, cancellation);

    private async Task<AppendOutcome> FailAsync(OwnedPartition partition, StagedBatch batch, AppendFault fault)
    {
        if (fault == AppendFault.AnswerLost)
            await inner.AppendAsync(partition, batch);
        await Task.Yield();
        var outcome = fault == AppendFault.NotWritten ? AppendOutcome.NotWritten : AppendOutcome.Unknown;
        return faults.Gates.TryGetValue(partition.Partition, out var gate) ? await gate.PassAsync(() => Task.FromResult(outcome)) : outcome;
    }
}

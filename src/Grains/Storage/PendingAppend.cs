using System.Diagnostics;

namespace Granary.Grains.Storage;

/// <summary>A batch in a lane's queue, and the promise of its outcome.</summary>
internal sealed class PendingAppend(OwnedLog owner, StagedBatch batch)
    : TaskCompletionSource<AppendOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly StagedBatch _batch = batch;

    public OwnedLog Owner { get; } = owner;

    public ref readonly StagedBatch Batch => ref _batch;

    /// <summary>The next batch of the same partition in the same flush.</summary>
    public PendingAppend? Next { get; set; }

    public long QueuedAt { get; } = Stopwatch.GetTimestamp();
}

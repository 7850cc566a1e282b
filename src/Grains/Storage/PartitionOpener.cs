using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>
/// Opens partitions. Whoever asks while an opening is under way goes with the next one, so that ten thousand partitions of a starting silo
/// are opened by a few dozen statements. Raising the epochs is one round trip; headers, where there are any to read, come after it
/// and hold no one else up. Whoever gives up while it waits is left out, up to the moment at which the statement is sent: an epoch that is raised for
/// nobody fences the partition's owner of that time.
/// </summary>
internal sealed class PartitionOpener(
    SessionPool work, HeaderReader headers, StuckWriters stuck, SiloStanding? standing, StorageOptions options, TimeProvider time)
{
    private const int MaxAttempts = 5;

    private readonly Lock _lock = new();
    private readonly Queue<PendingOpen> _waiting = new();
    private bool _running;

    public async Task<OpenedPartition> OpenAsync(PartitionId partition, CarriedProducers? carried, CancellationToken cancellation)
    {
        var open = new PendingOpen(partition, cancellation);
        lock (_lock)
        {
            _waiting.Enqueue(open);
            if (!_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }

        var raised = await open.Task.WaitAsync(cancellation);
        var owned = new OwnedLog(partition, raised.PartitionId, raised.Head.LeaderEpoch, raised.Head.NextOffset, raised.Head.Active);
        if (carried?.EndOffset == raised.Head.NextOffset)
        {
            return new OpenedPartition(
                owned, raised.LogStartOffset, raised.Head.NextOffset, raised.Epochs, carried.Snapshot, carried.EndOffset, [], carried.UnsavedBatches);
        }

        var headersAfter = raised.Head.NextOffset > raised.ReplayFrom
            ? await headers.ReadAsync(raised.PartitionId, raised.ReplayFrom, cancellation)
            : [];
        return new OpenedPartition(
            owned, raised.LogStartOffset, raised.Head.NextOffset, raised.Epochs, raised.Snapshot, raised.SnapshotOffset, headersAfter, headersAfter.Count);
    }

    private async Task RunAsync()
    {
        while (Take() is { } opens)
        {
            try
            {
                await RaiseAsync(opens);
            }
            catch (Exception failure)
            {
                foreach (var open in opens)
                    open.TrySetException(failure);
            }
        }
    }

    /// <summary>Up to the maximum, each partition once, in the order of their keys: two silos that open the same ones lock them alike.</summary>
    private List<PendingOpen>? Take()
    {
        lock (_lock)
        {
            var taken = new SortedDictionary<(Guid, int), PendingOpen>();
            while (taken.Count < options.MaxOpensPerStatement && _waiting.TryPeek(out var next)
                && (next.GaveUp() || taken.TryAdd((next.Partition.TopicId, next.Partition.Index), next)))
                _waiting.Dequeue();
            _running = taken.Count > 0;
            return _running ? [.. taken.Values] : null;
        }
    }

    private async Task RaiseAsync(List<PendingOpen> opens)
    {
        var raised = await RetryAsync(() => work.RunAsync((connection, limit) => RaiseOnAsync(connection, opens, limit), CancellationToken.None));
        for (var i = 0; i < opens.Count; i++)
        {
            if (raised[i] is { } result)
                opens[i].TrySetResult(result);
            else
                opens[i].TrySetException(new PartitionDeletedException(opens[i].Partition));
        }
    }

    private static async Task<T> RetryAsync<T>(Func<Task<T>> action)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await action();
            }
            catch (StoreUnavailableException failure) when (
                attempt < MaxAttempts && failure.InnerException is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected })
            {
                // Two silos met on the same heads; one of them goes again.
            }
        }
    }

    private async Task<RaisedPartition?[]> RaiseOnAsync(NpgsqlConnection connection, List<PendingOpen> opens, CancellationToken cancellation)
    {
        // A free session may have been waited for, or a new one for a broken one.
        opens.RemoveAll(open => open.GaveUp());
        if (opens.Count == 0)
            return [];
        var topics = opens.ConvertAll(open => open.Partition.TopicId).ToArray();
        var partitions = opens.ConvertAll(open => open.Partition.Index).ToArray();
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (ReadOnlySpan<string>)
            [OpenStatements.Create, OpenStatements.Raise, OpenStatements.ForgetUnusedEpochs, OpenStatements.AddEpoch, OpenStatements.Epochs, OpenStatements.Snapshots])
        {
            var command = new NpgsqlBatchCommand(sql)
            {
                Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = topics }, new NpgsqlParameter<int[]> { TypedValue = partitions } },
            };
            if (sql == OpenStatements.Create)
                command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = time.GetUtcNow().UtcDateTime });
            batch.BatchCommands.Add(command);
        }

        await using var watch = stuck.Watch(connection.ProcessID);
        await using var reader = await SiloStanding.ExecuteAsync(standing, batch, cancellation);
        return await ReadRaisedAsync(reader, opens.Count, cancellation);
    }

    private static async Task<RaisedPartition?[]> ReadRaisedAsync(NpgsqlDataReader reader, int count, CancellationToken cancellation)
    {
        var raised = new RaisedPartition?[count];
        var byId = new Dictionary<int, RaisedPartition>(count);
        while (await reader.ReadAsync(cancellation))
        {
            var one = new RaisedPartition(reader.GetInt32(1), reader.GetInt64(2), HeadRow.Read(reader, 3));
            raised[reader.GetInt64(0) - 1] = one;
            byId[one.PartitionId] = one;
        }

        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            byId[reader.GetInt32(0)].AddEpoch(reader.GetInt32(1), reader.GetInt64(2));
        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            byId[reader.GetInt32(0)].SetSnapshot(reader.GetInt64(1), reader.GetFieldValue<byte[]>(2));
        return raised;
    }

    private sealed class PendingOpen(PartitionId partition, CancellationToken cancellation)
        : TaskCompletionSource<RaisedPartition>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public PartitionId Partition { get; } = partition;

        /// <summary>True where nobody waits for it any more.</summary>
        public bool GaveUp() => cancellation.IsCancellationRequested && (TrySetCanceled(cancellation) || Task.IsCanceled);
    }

    /// <summary>What the take-over read.</summary>
    private sealed class RaisedPartition(int partitionId, long logStartOffset, HeadRow head)
    {
        private readonly ImmutableArray<(int Epoch, long StartOffset)>.Builder _epochs =
            ImmutableArray.CreateBuilder<(int Epoch, long StartOffset)>(1);

        public int PartitionId { get; } = partitionId;

        public long LogStartOffset { get; } = logStartOffset;

        public HeadRow Head { get; } = head;

        public ReadOnlyMemory<byte> Snapshot { get; private set; }

        public long SnapshotOffset { get; private set; } = logStartOffset;

        /// <summary>Below the log start there may be nothing left to replay.</summary>
        public long ReplayFrom => Math.Max(SnapshotOffset, LogStartOffset);

        public ImmutableArray<(int Epoch, long StartOffset)> Epochs => _epochs.DrainToImmutable();

        public void AddEpoch(int epoch, long startOffset) => _epochs.Add((epoch, startOffset));

        public void SetSnapshot(long asOf, byte[] snapshot) => (SnapshotOffset, Snapshot) = (asOf, snapshot);
    }
}

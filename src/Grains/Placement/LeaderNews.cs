using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Placement;

/// <summary>What one other silo has yet to be told of this one's partitions. Safe for many threads; one takes.</summary>
internal sealed class LeaderNews(HostedPartitions hosted)
{
    /// <summary>Partitions told with one call, about 50 bytes each.</summary>
    private const int MaxPage = 5_000;

    private readonly Lock _lock = new();
    private readonly HashSet<PartitionId> _untold = [];
    private TaskCompletionSource _told = New();

    /// <summary>These are to be told, as they are when their turn comes.</summary>
    public void Add(IEnumerable<PartitionId> partitions)
    {
        lock (_lock)
        {
            _untold.UnionWith(partitions);
            if (_untold.Count > 0)
                _told.TrySetResult();
        }
    }

    /// <summary>Some of what is untold, as soon as there is anything; empty where those partitions have left meanwhile.</summary>
    public async Task<ImmutableArray<HostedPartition>> TakeAsync(CancellationToken cancellation)
    {
        await Untold.WaitAsync(cancellation);
        PartitionId[] taken;
        lock (_lock)
        {
            taken = [.. _untold.Take(MaxPage)];
            _untold.ExceptWith(taken);
            if (_untold.Count == 0)
                _told = New();
        }

        return [.. taken.Select(hosted.Find).OfType<HostedPartition>().Where(one => one.LeaderEpoch >= 0)];
    }

    private Task Untold
    {
        get
        {
            lock (_lock)
                return _told.Task;
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

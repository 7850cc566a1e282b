using Granary.Gateway.Kafka.Apis;

namespace Granary.Gateway.Kafka.Fetching;

/// <param name="MinBytes">Answer once so many bytes of records are there.</param>
/// <param name="MaxBytes">Of records, in the whole answer.</param>
/// <param name="MaxWait">Answer by then with what there is.</param>
internal readonly record struct FetchLimits(int MinBytes, int MaxBytes, TimeSpan MaxWait);

/// <summary>What all fetches share.</summary>
internal sealed class FetchSources(ClusterView cluster, PartitionFailures failures, GatewayMemory memory, TimeProvider time)
{
    public ClusterView Cluster { get; } = cluster;

    public PartitionFailures Failures { get; } = failures;

    public ReplyMemory Memory { get; } = memory.Replies;

    public TimeProvider Time { get; } = time;
}

/// <summary>
/// Reads the partitions of one Fetch request: all of them without waiting, then again those where something came, until there is enough,
/// one has an error, or the time is up. Reads go on side by side as far as the byte limit allows: each takes its share of it beforehand
/// and gives back what it did not use.
/// </summary>
internal sealed class FetchRound(List<PartitionFetch> partitions, FetchLimits limits, FetchReader reader, FetchSources sources)
{
    private const int MaxReadsAtOnce = 1024;

    private readonly long _start = sources.Time.GetTimestamp();
    private long _bytes;
    private bool _hasError;

    /// <summary>Fills the partitions' results.</summary>
    public async ValueTask RunAsync(CancellationToken ending)
    {
        var due = new List<PartitionFetch>(partitions.Count);
        foreach (var partition in partitions)
        {
            if (partition.IsRead)
                _hasError |= partition.Result.Error != ErrorCode.None;
            else if (!reader.TryAnswer(partition))
                due.Add(partition);
        }

        try
        {
            await ReadAsync(due);
            while (!IsEnough && !ending.IsCancellationRequested && await WaitAsync(due, ending))
                await ReadAsync(due);
        }
        finally
        {
            // From here on the reply's frame is what counts.
            sources.Memory.Return(_bytes);
        }

        reader.KeepOnly(partitions);
    }

    /// <summary>Waits until something came, and fills <paramref name="due"/> with where; false where the time is up before.</summary>
    private async ValueTask<bool> WaitAsync(List<PartitionFetch> due, CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            var left = limits.MaxWait - sources.Time.GetElapsedTime(_start);
            var woken = reader.Woken;
            due.Clear();
            foreach (var partition in partitions)
            {
                reader.Watch(partition);
                if (partition.Wait!.IsOver)
                    due.Add(partition);
            }

            if (left <= TimeSpan.Zero || due.Count > 0)
                return left > TimeSpan.Zero;
            await woken.WaitAsync(left, sources.Time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return false;
    }

    private bool IsEnough => _hasError || _bytes >= limits.MinBytes || limits.MaxWait <= TimeSpan.Zero || partitions.Count == 0;

    private async ValueTask ReadAsync(List<PartitionFetch> due)
    {
        foreach (var partition in due)
        {
            Forget(partition);
            partition.Wait = null;
        }

        for (var next = 0; next < due.Count;)
        {
            var first = next;
            next = Start(due, first);
            for (var i = first; i < next; i++)
                await TakeAsync(due[i]);
        }

        await FeedStarvedAsync();
    }

    /// <summary>Starts as many reads as the limit leaves room for; the place of the next one to start.</summary>
    private int Start(List<PartitionFetch> due, int next)
    {
        var room = Math.Max(0, limits.MaxBytes - _bytes);
        var isSpent = room == 0;
        var end = Math.Min(due.Count, next + MaxReadsAtOnce);
        do
        {
            var partition = due[next];
            var granted = (int)sources.Memory.Take(Math.Min(room, Math.Max(0, partition.Ask.MaxBytes)));
            room -= granted;
            partition.StartRead(granted, strict: true);
            next++;
        }
        while (next < end && (room > 0 || isSpent));

        return next;
    }

    private async ValueTask TakeAsync(PartitionFetch partition)
    {
        await partition.TakeReadAsync(sources.Failures, sources.Cluster);
        var bytes = partition.Result.Records.Length;
        sources.Memory.Return(partition.GrantedBytes - bytes);
        _bytes += bytes;
        _hasError |= partition.Result.Error != ErrorCode.None;
    }

    private void Forget(PartitionFetch partition)
    {
        sources.Memory.Return(partition.Result.Records.Length);
        _bytes -= partition.Result.Records.Length;
    }

    /// <summary>
    /// The first partition that has anything gives its first batch whole, however large (KIP-74): else it would never be read past. Where the
    /// memory for replies is used up, it waits.
    /// </summary>
    private async ValueTask FeedStarvedAsync()
    {
        foreach (var partition in partitions)
        {
            if (!partition.Result.Records.IsEmpty)
                return;
            if (!partition.IsStarved)
                continue;
            var wanted = Math.Max(1, Math.Min(limits.MaxBytes, partition.Ask.MaxBytes));
            var granted = (int)sources.Memory.Take(wanted);
            if (granted == 0)
                return;
            partition.StartRead(granted, strict: false);
            await TakeAsync(partition);
            return;
        }
    }
}

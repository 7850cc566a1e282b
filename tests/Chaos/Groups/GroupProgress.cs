using System.Diagnostics;

namespace Granary.Chaos.Groups;

/// <summary>How far a group has processed each partition, all of its members together.</summary>
internal sealed class GroupProgress(int partitions)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(20);

    private readonly long[] _next = new long[partitions];
    private readonly Lock _gate = new();

    public void Process(int partition, long offset)
    {
        lock (_gate)
            _next[partition] = Math.Max(_next[partition], offset + 1);
    }

    /// <summary>Waits until all ends are reached; what is missing where they are not within a minute.</summary>
    public async Task<string?> AwaitAsync(IReadOnlyList<long> ends)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var next = Copy();
            var behind = Enumerable.Range(0, partitions).Where(partition => next[partition] < ends[partition]).ToArray();
            if (behind.Length == 0)
                return null;
            if (clock.Elapsed > s_patience)
                return "stands still: " + string.Join(", ", behind.Select(partition => $"partition {partition} at {next[partition]} of {ends[partition]}"));
            await Task.Delay(s_step);
        }
    }

    private long[] Copy()
    {
        lock (_gate)
            return [.. _next];
    }
}

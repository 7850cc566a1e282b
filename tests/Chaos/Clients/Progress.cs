using System.Diagnostics;

namespace Granary.Chaos.Clients;

/// <summary>How many records were acknowledged by producer and partition, and how long a partition went without.</summary>
internal sealed class Progress(int producers, int partitions)
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan s_watchPatience = TimeSpan.FromSeconds(60);

    private readonly long[,] _acknowledged = new long[producers, partitions];
    private readonly long[] _last = [.. Enumerable.Repeat(Stopwatch.GetTimestamp(), partitions)];
    private readonly long[] _longestGap = new long[partitions];
    private long _watchBegan;
    private readonly long[] _watchedGap = new long[partitions];
    private readonly Lock _gate = new();

    public long Total
    {
        get
        {
            lock (_gate)
                return _acknowledged.Cast<long>().Sum();
        }
    }

    public TimeSpan LongestGap
    {
        get
        {
            lock (_gate)
                return Stopwatch.GetElapsedTime(0, _longestGap.Max());
        }
    }

    public void Acknowledge(int producer, int partition)
    {
        lock (_gate)
        {
            _acknowledged[producer, partition]++;
            var now = Stopwatch.GetTimestamp();
            _longestGap[partition] = Math.Max(_longestGap[partition], now - _last[partition]);
            _watchedGap[partition] = Math.Max(_watchedGap[partition], now - Math.Max(_last[partition], _watchBegan));
            _last[partition] = now;
        }
    }

    /// <summary>From now on the longest time without an answer is watched for, and counted: what a fault before has left is not this one's. One watch at a time.</summary>
    public void BeginWatch()
    {
        lock (_gate)
        {
            _watchBegan = Stopwatch.GetTimestamp();
            Array.Clear(_watchedGap);
        }
    }

    /// <summary>Waits until every partition has given an answer from now on. The longest time that one gave none since the watch began.</summary>
    public async Task<TimeSpan> EndWatchAsync()
    {
        var until = Stopwatch.GetTimestamp();
        while (true)
        {
            lock (_gate)
            {
                if (_last.All(last => last >= until) || Stopwatch.GetElapsedTime(until) > s_watchPatience)
                    return Stopwatch.GetElapsedTime(0, _watchedGap.Concat(_last.Select(last => Stopwatch.GetTimestamp() - Math.Max(last, _watchBegan))).Max());
            }

            await Task.Delay(s_step);
        }
    }

    /// <summary>Waits until every producer has so many more answers from every partition; who has not, where the time is over.</summary>
    public async Task<List<string>> AwaitMoreAsync(int more, TimeSpan patience)
    {
        var before = Copy();
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var missing = Behind(before, more);
            if (missing.Count == 0 || clock.Elapsed > patience)
                return missing;
            await Task.Delay(s_step);
        }
    }

    private List<string> Behind(long[,] before, int more)
    {
        var now = Copy();
        return [.. from producer in Enumerable.Range(0, producers)
                   from partition in Enumerable.Range(0, partitions)
                   let done = now[producer, partition] - before[producer, partition]
                   where done < more
                   select $"producer {producer} had {done} instead of {more} answers from partition {partition}"];
    }

    private long[,] Copy()
    {
        lock (_gate)
            return (long[,])_acknowledged.Clone();
    }
}

namespace Granary.Bench;

/// <summary>Every latency of a run, kept whole: a million doubles are cheaper than a histogram's rounding.</summary>
internal sealed class Latencies(int capacity)
{
    private readonly double[] _milliseconds = new double[capacity];
    private int _count;

    public int Count => Math.Min(Volatile.Read(ref _count), _milliseconds.Length);

    public void Add(TimeSpan latency)
    {
        var at = Interlocked.Increment(ref _count) - 1;
        if (at < _milliseconds.Length)
            _milliseconds[at] = latency.TotalMilliseconds;
    }

    /// <summary>The smallest latency that at least that fraction of all is not above; NaN where there is none.</summary>
    public double Percentile(double fraction)
    {
        var sorted = _milliseconds.AsSpan(0, Count).ToArray();
        if (sorted.Length == 0)
            return double.NaN;
        Array.Sort(sorted);
        return sorted[Math.Clamp((int)Math.Ceiling(fraction * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}

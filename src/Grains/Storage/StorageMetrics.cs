using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Granary.Grains.Storage;

/// <summary>The store's meters. Durations in seconds, sizes in bytes.</summary>
internal static class StorageMetrics
{
    public const string MeterName = "Granary.Storage";

    private static readonly Meter _meter = new(MeterName);
    private static readonly Histogram<double> _flushDuration = _meter.CreateHistogram<double>(
        "granary.storage.flush.duration", "s", "From the first byte of a group commit to its answer.");

    private static readonly Histogram<long> _flushBytes = _meter.CreateHistogram<long>(
        "granary.storage.flush.size", "By", "Payload of a group commit.");

    private static readonly Histogram<int> _flushPartitions = _meter.CreateHistogram<int>(
        "granary.storage.flush.partitions", "{partition}", "Partitions in a group commit.");

    private static readonly Histogram<double> _appendDuration = _meter.CreateHistogram<double>(
        "granary.storage.append.duration", "s", "From queueing a batch to its outcome.");

    private static readonly Counter<long> _appends = _meter.CreateCounter<long>(
        "granary.storage.appends", "{batch}", "Batches by outcome.");

    private static readonly Counter<long> _appendedBytes = _meter.CreateCounter<long>(
        "granary.storage.appended", "By", "Payload committed.");

    private static readonly Counter<long> _readBytes = _meter.CreateCounter<long>(
        "granary.storage.read", "By", "Payload read from PostgreSQL.");

    private static readonly Counter<long> _readAhead = _meter.CreateCounter<long>(
        "granary.storage.read_ahead", "{read}", "Reads of history, by whether a block was there.");

    private static readonly Counter<long> _slabs = _meter.CreateCounter<long>(
        "granary.storage.slabs", "{slab}", "Slabs by what happened to them.");

    private static readonly Histogram<double> _offsetFlushDuration = _meter.CreateHistogram<double>(
        "granary.storage.offsets.flush.duration", "s", "Writing one group commit of positions.");

    private static readonly Histogram<int> _offsetFlushSize = _meter.CreateHistogram<int>(
        "granary.storage.offsets.flush.size", "{offset}", "Positions in a group commit.");

    private static readonly Counter<long> _failures = _meter.CreateCounter<long>(
        "granary.storage.failures", "{failure}", "Failures of PostgreSQL, by what failed.");

    private static readonly KeyValuePair<string, object?>[] _outcomes =
        [.. Enum.GetValues<AppendOutcome>().Select(outcome => new KeyValuePair<string, object?>("outcome", outcome.ToString()))];

    public static void Flushed(FlushPlan plan, TimeSpan duration)
    {
        _flushDuration.Record(duration.TotalSeconds);
        _flushBytes.Record(plan.PayloadBytes);
        _flushPartitions.Record(plan.Partitions.Count);
    }

    public static void OffsetsFlushed(int offsets, long startedAt)
    {
        _offsetFlushDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
        _offsetFlushSize.Record(offsets);
    }

    /// <summary>So that "none" can be told from "not measured".</summary>
    public static void ShowNoFailures()
    {
        foreach (var operation in (string[])["append", "call"])
            _failures.Add(0, new KeyValuePair<string, object?>("operation", operation));
    }

    /// <param name="operation">append, or call (all else, positions too).</param>
    public static void Failed(string operation) => _failures.Add(1, new KeyValuePair<string, object?>("operation", operation));

    public static void Settled(AppendOutcome outcome, int bytes, long queuedAt)
    {
        _appends.Add(1, _outcomes[(int)outcome]);
        if (outcome == AppendOutcome.Committed)
            _appendedBytes.Add(bytes);
        if (_appendDuration.Enabled)
            _appendDuration.Record(Stopwatch.GetElapsedTime(queuedAt).TotalSeconds);
    }

    public static void Read(long bytes) => _readBytes.Add(bytes);

    public static void ReadAhead(bool hit) => _readAhead.Add(1, new KeyValuePair<string, object?>("hit", hit));

    public static void Slab(string what) => _slabs.Add(1, new KeyValuePair<string, object?>("event", what));
}
